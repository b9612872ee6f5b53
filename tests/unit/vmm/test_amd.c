// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of what the monitor does where AMD-V runs its guest.
#include "rig.h"

#include <vmm/vcpu/complete.h>
#include <vmm/vcpu/port.h>

#include <x86/msr.h>

#include <string.h>

#define DEBUG_EXCEPTION (VCPU_EVENT_VALID | VCPU_EVENT_EXCEPTION | VECTOR_DEBUG)

static void fresh(void) {
	rig_fresh();
	vcpu->page->controls_offered |= VCPU_BY_AMD_V;
	fake.exit.instruction_length = 0;
}

static void place_code(const char *bytes, size_t count) {
	memcpy(machine.memory.bytes + CODE, bytes, count);
}

static void test_lengths(void) {
	static const struct {
		enum vcpu_exit_reason reason;
		const char *bytes;
		uint8_t length;
	} rows[] = {
		{VCPU_EXIT_CPUID, "\x0f\xa2", 2},
		{VCPU_EXIT_CPUID, "\x66\x48\x0f\xa2", 4},
		{VCPU_EXIT_HLT, "\xf4", 1},
		{VCPU_EXIT_HLT, "\xf3\x2e\x40\xf4", 4},
		{VCPU_EXIT_INVD, "\x0f\x08", 2},
		{VCPU_EXIT_WBINVD, "\xf3\x0f\x09", 3},
		{VCPU_EXIT_PAUSE, "\xf3\x90", 2},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fresh();
		place_code(rows[i].bytes, strlen(rows[i].bytes));
		leave(rows[i].reason);
		check_equal(fake.guest.rip, CODE + rows[i].length);
	}
	fresh();
	fake.exit.instruction_length = 5; // what the CPU says counts
	leave(VCPU_EXIT_WBINVD);
	check_equal(fake.guest.rip, CODE + 5);
}

static void test_other_bytes(void) {
	fresh();
	clear_log();
	place_code("\x0f\xa3", 2);
	leave(VCPU_EXIT_CPUID);
	check_equal(event(), INVALID_OPCODE);
	check_equal(fake.guest.rip, CODE);
	check(log_has("is not what exited"));
	fresh();
	fake.exit.rip = 1ull << 46; // no page is there
	leave(VCPU_EXIT_CPUID);
	check_equal(event() & 0xff, VECTOR_PAGE_FAULT);
	check_equal(fake.guest.cr2, 1ull << 46);
}

static void test_control_registers(void) {
	fresh();
	place_code("\x41\x0f\x22\xe1", 4); // MOV CR4, R9
	fake.exit.registers[X86_R8 + 1] = CR4_PAE | CR4_PGE;
	fake.exit.qualification = 4;
	leave(VCPU_EXIT_CONTROL_REGISTER);
	check_equal(fake.guest.cr4_shadow, CR4_PAE | CR4_PGE);
	check_equal(fake.guest.rip, CODE + 4);
	fresh();
	place_code("\x0f\x20\xe3", 3); // MOV RBX, CR4
	fake.exit.qualification = 4 | 1 << VCPU_CR_ACCESS_SHIFT;
	leave(VCPU_EXIT_CONTROL_REGISTER);
	check(fake.guest.cr4 & CR4_MCE);
	check_equal(fake.guest.registers[X86_RBX], CR4_PAE);
	check_equal(fake.guest.rip, CODE + 3);
	fresh();
	fake.guest.cr0_shadow |= CR0_CD;
	place_code("\x0f\x20\xc2", 3); // MOV RDX, CR0
	fake.exit.qualification = 1 << VCPU_CR_ACCESS_SHIFT;
	leave(VCPU_EXIT_CONTROL_REGISTER);
	check(fake.guest.registers[X86_RDX] & CR0_CD);
}

// The bytes say which register it is, whatever the exit does.
static void test_control_register_number(void) {
	static const struct {
		const char *bytes;
		uint64_t value;
	} rows[] = {
		{"\x0f\x20\xd3", 0x2222}, // MOV RBX, CR2
		{"\x0f\x20\xdb", 0}, // MOV RBX, CR3, which the fetch needs as it is
		{"\x44\x0f\x20\xc3", 5}, // MOV RBX, CR8
		{"\xf0\x0f\x20\xc3", 5}, // the same as AMD's CPUs have it elsewhere
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fresh();
		fake.guest.cr2 = 0x2222;
		machine.processors[0].lapic.task_priority = 0x50;
		place_code(rows[i].bytes, strlen(rows[i].bytes));
		fake.exit.qualification = 1 << VCPU_CR_ACCESS_SHIFT;
		leave(VCPU_EXIT_CONTROL_REGISTER);
		check(fake.exit.cr3 > 0);
		check_equal(fake.guest.registers[X86_RBX],
			rows[i].value ? rows[i].value : fake.exit.cr3);
		check_equal(fake.guest.rip, CODE + strlen(rows[i].bytes));
	}
}

// LMSW, SMSW and CLTS exit as accesses to CR0; memory at RBX holds 0xffff.
static void test_status_word(void) {
	static const struct {
		const char *bytes;
		uint64_t cr0; // what the guest reads of CR0 behind it
		uint64_t rax, memory;
	} rows[] = {
		{"\x0f\x01\xf0", CR0_PG | CR0_NE | CR0_ET | CR0_PE | CR0_EM, 0xdead0004, 0xffff},
		{"\x48\x0f\x01\xf0", CR0_PG | CR0_NE | CR0_ET | CR0_PE | CR0_EM, 0xdead0004,
			0xffff},
		{"\x0f\x01\x33", CR0_PG | CR0_NE | CR0_ET | 0xf, 0xdead0004, 0xffff},
		{"\x0f\x01\xe0", CR0_PG | CR0_NE | CR0_ET | CR0_PE | CR0_TS, 0x80000039, 0xffff},
		{"\x48\x0f\x01\xe0", CR0_PG | CR0_NE | CR0_ET | CR0_PE | CR0_TS, 0x80000039,
			0xffff},
		{"\x66\x0f\x01\xe0", CR0_PG | CR0_NE | CR0_ET | CR0_PE | CR0_TS, 0xdead0039,
			0xffff},
		{"\x0f\x01\x23", CR0_PG | CR0_NE | CR0_ET | CR0_PE | CR0_TS, 0xdead0004, 0x39},
		{"\x0f\x06", CR0_PG | CR0_NE | CR0_ET | CR0_PE, 0xdead0004, 0xffff},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t memory = 0xffff;

		fresh();
		memcpy(machine.memory.bytes + STACK, &memory, sizeof(memory));
		fake.guest.cr0 |= CR0_TS;
		fake.guest.cr0_shadow |= CR0_TS;
		fake.exit.registers[X86_RAX] = 0xdead0004;
		fake.exit.registers[X86_RBX] = STACK;
		place_code(rows[i].bytes, strlen(rows[i].bytes));
		leave(VCPU_EXIT_CONTROL_REGISTER);
		check_equal(event(), 0);
		check_equal((fake.guest.cr0 & ~fake.guest.cr0_mask) |
				(fake.guest.cr0_shadow & fake.guest.cr0_mask),
			rows[i].cr0);
		check_equal(fake.guest.registers[X86_RAX], rows[i].rax);
		memcpy(&memory, machine.memory.bytes + STACK, sizeof(memory));
		check_equal(memory, rows[i].memory);
		check_equal(fake.guest.rip, CODE + strlen(rows[i].bytes));
	}
}

// Their operands fault as others do, and LMSW cannot leave protected mode.
static void test_status_word_faults(void) {
	fresh();
	place_code("\x0f\x01\x33", 3); // LMSW [RBX]
	fake.exit.registers[X86_RBX] = 1ull << 46;
	leave(VCPU_EXIT_CONTROL_REGISTER);
	check_equal(event() & 0xff, VECTOR_PAGE_FAULT);
	check_equal(fake.guest.cr2, 1ull << 46);
	check_equal(fake.guest.rip, CODE);
	fresh();
	place_code("\x0f\x01\x23", 3); // SMSW [RBX]
	fake.exit.registers[X86_RBX] = 1ull << 63;
	leave(VCPU_EXIT_CONTROL_REGISTER);
	check_equal(event(), PROTECTION_FAULT);
	fresh();
	place_code("\x0f\x01\xf0", 3); // LMSW AX
	leave(VCPU_EXIT_CONTROL_REGISTER);
	check(fake.guest.cr0 & CR0_PE);
	// Of a device's memory they are none of what the monitor carries out.
	fresh();
	place_code("\x0f\x01\x23", 3);
	fake.exit.registers[X86_RBX] = fake.exit.physical = LAPIC_ADDRESS + 0x80;
	fake.exit.qualification = VCPU_MEMORY_WRITE | VCPU_MEMORY_FINAL;
	leave(VCPU_EXIT_MEMORY);
	check_equal(event(), INVALID_OPCODE);
}

// A CPU without lengths makes the monitor have shown what it needs for them, from the second exit
// on.
static void test_groups(void) {
	const uint64_t groups = VCPU_GROUP_CODE | VCPU_GROUP_PAGING;

	fresh();
	place_code("\xf4", 1);
	check_equal(vcpu->page->save[VCPU_EXIT_HLT] & groups, 0);
	leave(VCPU_EXIT_HLT);
	check_equal(vcpu->page->save[VCPU_EXIT_HLT] & groups, groups);
	fresh();
	fake.exit.instruction_length = 1;
	leave(VCPU_EXIT_HLT);
	check_equal(vcpu->page->save[VCPU_EXIT_HLT] & groups, 0);
}

// A frequent exit is one kernel entry: from its second time on nothing is fetched.
static void test_fetches(void) {
	static const struct {
		enum vcpu_exit_reason reason;
		const char *bytes;
		uint64_t qualification;
	} rows[] = {
		{VCPU_EXIT_CPUID, "\x0f\xa2", 0},
		{VCPU_EXIT_HLT, "\xf4", 0},
		{VCPU_EXIT_IO, "\xe4\x61", 0x61 << VCPU_IO_PORT_SHIFT | VCPU_IO_IN},
		{VCPU_EXIT_IO, "\xe6\x80", 0x80 << VCPU_IO_PORT_SHIFT},
		{VCPU_EXIT_MEMORY, "\x8b\x07", VCPU_MEMORY_READ | VCPU_MEMORY_FINAL},
		{VCPU_EXIT_MEMORY, "\x89\x07", VCPU_MEMORY_WRITE | VCPU_MEMORY_FINAL},
		{VCPU_EXIT_RDMSR, "\x0f\x32", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fresh();
		place_code(rows[i].bytes, strlen(rows[i].bytes));
		fake.exit.registers[X86_RCX] = MSR_HWCR;
		fake.exit.registers[X86_RDI] = fake.exit.physical = LAPIC_ADDRESS + 0x80;
		fake.exit.qualification = rows[i].qualification;
		if (rows[i].reason == VCPU_EXIT_IO) fake.exit.instruction_length = 2;
		leave(rows[i].reason);
		check_equal(fake.guest.rip, CODE + strlen(rows[i].bytes));
		fake.saves = 0;
		leave(rows[i].reason);
		check_equal(fake.guest.rip, CODE + strlen(rows[i].bytes));
		check_equal(fake.saves, 0);
	}
}

// What the CPU has fetched is not read again: memory has other bytes meanwhile.
static void test_instruction_bytes(void) {
	fresh();
	place_code("\xf4\xf4\x30", 3);
	fake.exit.instruction_count = 2;
	memcpy(fake.exit.instruction_bytes, "\x8b\x47", 2); // MOV EAX, [RDI + 0x30]
	fake.exit.registers[X86_RDI] = LAPIC_ADDRESS;
	fake.exit.physical = LAPIC_ADDRESS + 0x30;
	fake.exit.qualification = VCPU_MEMORY_READ | VCPU_MEMORY_FINAL;
	leave(VCPU_EXIT_MEMORY);
	check_equal(event(), 0);
	check_equal(fake.guest.rip, CODE + 3);
}

static void complete_outs(const char *bytes, unsigned segment, unsigned address) {
	fresh();
	place_code(bytes, strlen(bytes));
	fake.exit.qualification = VCPU_IO_STRING;
	fake.exit.instruction_length = (uint32_t)strlen(bytes);
	fake_leave(VCPU_EXIT_IO);
	check(complete_exit(vcpu, &machine.memory, NULL));
	check_equal(vcpu->page->instruction_information,
		segment << INFORMATION_SEGMENT_SHIFT | address << INFORMATION_ADDRESS_SHIFT);
}

static void test_strings(void) {
	complete_outs("\x6e", VCPU_DS, 2);
	complete_outs("\xf3\x65\x6e", VCPU_GS, 2);
	complete_outs("\x67\x64\x6e", VCPU_FS, 1);
	complete_outs("\x36\x6e", VCPU_SS, 2);
}

// Without a linear address in the qualification.
static void test_memory(void) {
	fresh();
	place_code("\x8b\x07", 2); // MOV EAX, [RDI]
	fake.exit.registers[X86_RDI] = LAPIC_ADDRESS + 0x30;
	fake.exit.physical = LAPIC_ADDRESS + 0x30;
	fake.exit.qualification = VCPU_MEMORY_READ | VCPU_MEMORY_FINAL;
	leave(VCPU_EXIT_MEMORY);
	check_equal(fake.guest.rip, CODE + 2);
	check(fake.running);
	fake.exit.qualification = VCPU_MEMORY_READ;
	leave(VCPU_EXIT_MEMORY);
	check(log_has("page tables at address"));
}

static void test_debug(void) {
	fresh();
	place_code("\x0f\x09", 2);
	fake.exit.rflags |= FLAGS_TF;
	fake.guest.dr7 = DR7_FIXED | DR7_GENERAL_DETECT;
	fake.guest.dr6 = 0xffff0ff1;
	leave(VCPU_EXIT_WBINVD);
	check_equal(event(), DEBUG_EXCEPTION);
	check_equal(fake.guest.dr6, 0xffff4ff0);
	check_equal(fake.guest.dr7, DR7_FIXED);
	check_equal(fake.guest.pending_debug, 0);
}

static void rdmsr(uint32_t number) {
	fake.exit.registers[X86_RCX] = number;
	leave(VCPU_EXIT_RDMSR);
}

static void test_msrs(void) {
	static const struct {
		uint32_t number, value;
	} rows[] = {{MSR_HWCR, 1 << 24}, {MSR_DE_CFG, 2}, {0xc0010114, 0x18}, {MSR_SYSCFG, 0},
		{MSR_TOP_MEM, 0}, {MSR_TOP_MEM2, 0}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fresh();
		fake.exit.instruction_length = 2;
		rdmsr(rows[i].number);
		check_equal(fake.guest.registers[X86_RAX], rows[i].value);
		check_equal(fake.guest.rip, CODE + 2);
		wrmsr(rows[i].number, UINT64_MAX);
		check_equal(fake.guest.rip, CODE + 2);
		rdmsr(rows[i].number);
		check_equal(fake.guest.registers[X86_RAX], rows[i].value);
		rig_fresh(); // another maker's CPU has none
		rdmsr(rows[i].number);
		check_equal(event(), PROTECTION_FAULT);
	}
}

int main(void) {
	static const struct test tests[] = {
		{"amd.lengths", "instructions that exit are passed with all their prefixes",
			test_lengths},
		{"amd.other_bytes", "other or absent instructions raise an exception",
			test_other_bytes},
		{"amd.control_register_number", "the bytes say which control register it is",
			test_control_register_number},
		{"amd.control_registers", "the instruction names the register, shadows are read",
			test_control_registers},
		{"amd.status_word", "LMSW, SMSW and CLTS that exit do what they do elsewhere",
			test_status_word},
		{"amd.status_word_faults", "operands of LMSW and SMSW fault, PE stays set",
			test_status_word_faults},
		{"amd.groups", "what tells a length is saved where the CPU tells none",
			test_groups},
		{"amd.fetches", "frequent exits cost no system call but the next run",
			test_fetches},
		{"amd.instruction_bytes", "bytes that the CPU fetched are not read again",
			test_instruction_bytes},
		{"amd.strings", "prefixes say segment and address size of OUTS", test_strings},
		{"amd.memory", "accesses of devices and of page tables differ", test_memory},
		{"amd.debug", "a trap behind an emulated instruction is injected", test_debug},
		{"amd.msrs", "AMD's registers read constants, on AMD's CPUs alone", test_msrs},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));

	rig_free();
	return status;
}
