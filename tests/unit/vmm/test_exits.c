// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the exit handlers on a fake host.
#include "rig.h"

#include <x86/msr.h>

#include <string.h>

static void test_cpuid(void) {
	rig_fresh();
	fake.exit.registers[X86_RAX] = 0x40000000;
	leave(VCPU_EXIT_CPUID);
	check_equal(fake.guest.registers[X86_RBX], 0x4b4d564b);
	check_equal(fake.guest.rip, CODE + 2);
	fake.exit.registers[X86_RAX] = 1;
	leave(VCPU_EXIT_CPUID);
	check_equal(fake.guest.registers[X86_RDX] >> 9 & 1, 1);
	wrmsr(MSR_APIC_BASE, LAPIC_ADDRESS | APIC_BASE_BSP);
	fake.exit.registers[X86_RAX] = 1;
	leave(VCPU_EXIT_CPUID);
	check_equal(fake.guest.registers[X86_RDX] >> 9 & 1, 0);
}

static void test_refused_instructions(void) {
	static const enum vcpu_exit_reason reasons[] = {VCPU_EXIT_HYPERCALL, 19, 23, 27,
		VCPU_EXIT_INVEPT, VCPU_EXIT_INVVPID, VCPU_EXIT_VMFUNC, VCPU_EXIT_GETSEC,
		VCPU_EXIT_MWAIT, VCPU_EXIT_MONITOR, VCPU_EXIT_RSM};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		rig_fresh();
		leave(reasons[i]);
		check_equal(event(), INVALID_OPCODE);
		check_equal(fake.guest.rip, CODE);
		check(fake.running);
	}
}

static void test_unknown_msr(void) {
	rig_fresh();
	clear_log();
	fake.exit.registers[X86_RCX] = 0xc0010015;
	leave(VCPU_EXIT_RDMSR);
	check_equal(event(), PROTECTION_FAULT);
	check(log_has("guest read unknown MSR c0010015"));
	for (unsigned i = 0; i < 100; i++)
		leave(VCPU_EXIT_RDMSR);
	check(log_has("further accesses of this kind are not reported"));
	check(log_length() < 3000);
}

static void test_redelivery(void) {
	rig_fresh();
	fake.exit.exception.information = VCPU_EVENT_VALID | VCPU_EVENT_NMI | 2;
	fake.exit.interrupted.information = VCPU_EVENT_VALID | VCPU_EVENT_SOFTWARE | 0x80;
	leave(VCPU_EXIT_EXCEPTION);
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_SOFTWARE | 0x80);
	check_equal(fake.guest.event_length, 2);
	fake.exit.interrupted.information = VCPU_EVENT_VALID | VCPU_EVENT_EXCEPTION |
		VCPU_EVENT_ERROR_CODE | 14;
	fake.exit.interrupted.error_code = 6;
	leave(VCPU_EXIT_EXCEPTION);
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_EXCEPTION | VCPU_EVENT_ERROR_CODE | 14);
	check_equal(fake.guest.event.error_code, 6);
	check_equal(fake.guest.event_length, 0);
}

static void test_single_step(void) {
	rig_fresh();
	fake.exit.rflags |= FLAGS_TF;
	leave(VCPU_EXIT_WBINVD);
	check_equal(fake.guest.pending_debug, 1 << 14);
}

static void test_xsetbv(void) {
	static const uint64_t bad[] = {0, 2, 5, 6, 9, 0xe7, 1ull << 62 | 1};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rig_fresh();
		fake.exit.registers[X86_RAX] = (uint32_t)bad[i];
		fake.exit.registers[X86_RDX] = bad[i] >> 32;
		leave(VCPU_EXIT_XSETBV);
		check_equal(event(), PROTECTION_FAULT);
		check_equal(fake.guest.xcr0, 1);
	}
	rig_fresh();
	fake.exit.registers[X86_RAX] = 7;
	leave(VCPU_EXIT_XSETBV);
	check_equal(fake.guest.xcr0, 7);
	fake.exit.registers[X86_RCX] = 1;
	leave(VCPU_EXIT_XSETBV);
	check_equal(event(), PROTECTION_FAULT);
}

// With AMD-V a user's XSETBV exits, too.
static void test_xsetbv_user(void) {
	for (unsigned privilege = 1; privilege < 4; privilege++) {
		rig_fresh();
		fake.guest.segments[VCPU_SS].attributes |= (uint16_t)(privilege
			<< VCPU_SEGMENT_PRIVILEGE_SHIFT);
		fake.exit.registers[X86_RAX] = 7;
		leave(VCPU_EXIT_XSETBV);
		check_equal(event(), PROTECTION_FAULT);
		check_equal(fake.guest.xcr0, 1);
	}
}

// MMIO through the loader's identity page tables.
static void mmio(const char *code, unsigned length, uint64_t physical) {
	memcpy(machine.memory.bytes + CODE, code, length);
	fake.exit.physical = physical;
	fake.exit.registers[X86_RBX] = physical;
	fake.exit.qualification = 0x181;
	leave(VCPU_EXIT_MEMORY);
}

static void test_mmio(void) {
	rig_fresh();
	fake.exit.registers[X86_RAX] = ~0ull;
	mmio("\x8b\x03", 2, 0xfee00030);
	check_equal(fake.guest.registers[X86_RAX], 0x50014);
	check_equal(fake.guest.rip, CODE + 2);
	mmio("\xc7\x03\xff\x01\x00\x00", 6, 0xfee000f0);
	check_equal(lapic->spurious, 0x1ff);
	check_equal(fake.guest.rip, CODE + 6);
	mmio("\x81\x0b\x00\x00\x01\x00", 6, 0xfee00350); // OR
	mmio("\xf7\x03\x00\x00\x01\x00", 6, 0xfee00350); // TEST
	check_equal(fake.guest.rflags & FLAGS_ZF, 0);
	fake.exit.registers[X86_RCX] = 0xe0;
	mmio("\x87\x0b", 2, 0xfee00080); // XCHG
	check_equal(lapic->task_priority, 0xe0);
	check_equal(fake.guest.registers[X86_RCX], 0);
}

static void test_mmio_nothing(void) {
	rig_fresh();
	clear_log();
	mmio("\x8a\x23", 2, 0xd0000000); // MOV AH, byte
	check_equal(fake.guest.registers[X86_RAX], 0xff00);
	check(log_has("guest touched address d0000000"));
	mmio("\x0f\x28\x03", 3, 0xfee00030);
	check_equal(event(), INVALID_OPCODE);
	check(fake.running);
}

static void test_mmio_stops(void) {
	static const struct {
		uint64_t qualification;
		uint32_t vectoring;
		const char *text;
	} rows[] = {
		{0x184, 0, "execution at address"},
		{0x081, 0, "page tables at address"},
		{0x001, 0, "page tables at address"}, // by MOV to CR3 with PAE paging
		{0x181, VCPU_EVENT_VALID | 14, "event delivery uses address"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_fresh();
		clear_log();
		fake.exit.interrupted.information = rows[i].vectoring;
		fake.exit.qualification = rows[i].qualification;
		fake.exit.physical = 0xd0000000;
		leave(VCPU_EXIT_MEMORY);
		check(!fake.running);
		check(log_has(rows[i].text));
	}
}

static void test_ports(void) {
	rig_fresh();
	clear_log();
	port(0x3f8, 0, 'A');
	port(0x3f8, 0, '\n');
	check(log_has("A\n"));
	check_equal(fake.signals[HOST_CHANNEL_CONSOLE], 1);
	port(0x3fd, 8, 0x1122334455667788);
	check_equal(fake.guest.registers[X86_RAX], 0x1122334455667760);
	port(0x20, 8 | 1, 0x1122334455667788);
	check_equal(fake.guest.registers[X86_RAX], 0x112233445566ffff);
	port(0xcfc, 8 | 3, 0x1122334455667788);
	check_equal(fake.guest.registers[X86_RAX], 0xffffffff);
}

static void test_outs(void) {
	rig_fresh();
	clear_log();
	memcpy(machine.memory.bytes + STACK, "string\n", 7);
	fake.exit.registers[X86_RSI] = STACK;
	fake.exit.registers[X86_RCX] = 7;
	fake.exit.linear = STACK;
	fake.exit.instruction_information = 2 << 7;
	port(0x3f8, 0x30, 0);
	check(log_has("string\n"));
	check_equal(fake.guest.registers[X86_RSI], STACK + 7);
	check_equal(fake.guest.registers[X86_RCX], 0);
	check_equal(fake.guest.rip, CODE + 2);
}

static void test_ins_fault(void) {
	rig_fresh();
	fake.exit.registers[X86_RDI] = 5ull << 39;
	fake.exit.registers[X86_RCX] = 3;
	fake.exit.linear = 5ull << 39;
	fake.exit.instruction_information = 2 << 7;
	port(0x3fd, 0x38, 0);
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_EXCEPTION | VCPU_EVENT_ERROR_CODE | 14);
	check_equal(fake.guest.cr2, 5ull << 39);
	check_equal(fake.guest.event.error_code, 2);
	check_equal(fake.guest.registers[X86_RCX], 3);
	check_equal(fake.guest.rip, CODE);
}

static void test_stops(void) {
	static const struct {
		uint32_t reason;
		const char *text;
	} rows[] = {
		{VCPU_EXIT_TRIPLE_FAULT, "guest stopped at 100000: triple fault"},
		{VCPU_EXIT_STATE_INVALID, "VM entry failed, qualification 7"},
		{VCPU_EXIT_CONTROLS_INVALID, "VM entry refused, error 7"},
		{VCPU_EXIT_TASK_SWITCH, "task switch"},
		{VCPU_EXIT_MEMORY_MISCONFIGURED, "misconfigured page tables"},
		{VCPU_EXIT_VALUE_REFUSED, "refused a value of group 7"},
		{69, "unexpected VM exit 69"},
		{1000, "unexpected VM exit 1000"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_fresh();
		clear_log();
		fake.exit.qualification = 7;
		leave((enum vcpu_exit_reason)rows[i].reason);
		check(!fake.running);
		check(log_has(rows[i].text));
		machine_settle(&machine);
		check(!fake.running);
	}
}

int main(void) {
	static const struct test tests[] = {
		{"exit.cpuid", "CPUID answers and is passed", test_cpuid},
		{"exit.refused", "VMX and hidden instructions get #UD", test_refused_instructions},
		{"exit.unknown_msr", "unknown MSRs get #GP and few lines", test_unknown_msr},
		{"exit.redelivery", "an interrupted delivery is repeated in full", test_redelivery},
		{"exit.single_step", "an emulated instruction traps under TF", test_single_step},
		{"exit.xsetbv", "XCR0 takes allowed values only", test_xsetbv},
		{"exit.xsetbv-user", "XCR0 is the guest kernel's", test_xsetbv_user},
		{"mmio.apic", "APIC accesses are decoded and performed", test_mmio},
		{"mmio.nothing", "absent memory reads ones, odd code gets #UD", test_mmio_nothing},
		{"mmio.stops", "what cannot be emulated stops the guest", test_mmio_stops},
		{"port.plain", "IN and OUT reach devices or nothing", test_ports},
		{"port.outs", "a repeated OUTS prints its string", test_outs},
		{"port.fault", "INS to an absent page raises the fault", test_ins_fault},
		{"machine.stops", "fatal exits print one line and stop", test_stops},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));

	rig_free();
	return status;
}
