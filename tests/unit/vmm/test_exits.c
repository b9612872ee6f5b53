// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the exit handlers on a fake host.
#include "rig.h"

#include <abi/vcpu.h>

#include <string.h>

static void test_cpuid(void) {
	rig_fresh();
	fake.words[W_RAX] = 0x40000000;
	leave(EXIT_CPUID);
	check_equal(fake.registers[X86_RBX], 0x4b4d564b);
	check_equal(fake.fields[VMCS_GUEST_RIP], CODE + 2);
	fake.words[W_RAX] = 1;
	leave(EXIT_CPUID);
	check_equal(fake.registers[X86_RDX] >> 9 & 1, 1);
	wrmsr(MSR_APIC_BASE, LAPIC_ADDRESS | APIC_BASE_BSP);
	fake.words[W_RAX] = 1;
	leave(EXIT_CPUID);
	check_equal(fake.registers[X86_RDX] >> 9 & 1, 0);
}

static void test_refused_instructions(void) {
	static const enum exit_reason reasons[] = {EXIT_VMCALL, EXIT_VMXON, EXIT_VMLAUNCH,
		EXIT_VMREAD, EXIT_VMWRITE, EXIT_INVEPT, EXIT_INVVPID, EXIT_VMFUNC, EXIT_GETSEC,
		EXIT_MWAIT, EXIT_MONITOR, EXIT_RSM, EXIT_VMCLEAR, EXIT_VMPTRLD, EXIT_VMPTRST,
		EXIT_VMXOFF, EXIT_VMRESUME};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		rig_fresh();
		leave(reasons[i]);
		check_equal(event(), INVALID_OPCODE);
		check_equal(fake.fields[VMCS_GUEST_RIP], CODE);
		check(fake.running);
	}
}

static void test_unknown_msr(void) {
	rig_fresh();
	clear_log();
	fake.words[W_RCX] = 0xc0010015;
	leave(EXIT_RDMSR);
	check_equal(event(), PROTECTION_FAULT);
	check(log_has("guest read unknown MSR c0010015"));
	for (unsigned i = 0; i < 100; i++)
		leave(EXIT_RDMSR);
	check(log_has("further accesses of this kind are not reported"));
	check(log_length() < 3000);
}

static void test_redelivery(void) {
	rig_fresh();
	fake.fields[VMCS_EXIT_INTERRUPTION] = EVENT_VALID | EVENT_NMI | 2;
	fake.fields[VMCS_IDT_VECTORING] = EVENT_VALID | EVENT_SOFTWARE_INTERRUPT | 0x80;
	leave(EXIT_EXCEPTION_OR_NMI);
	check_equal(event(), EVENT_VALID | EVENT_SOFTWARE_INTERRUPT | 0x80);
	check_equal(fake.states[VCPU_STATE_ENTRY_INSTRUCTION_LENGTH], 2);
	fake.fields[VMCS_IDT_VECTORING] = EVENT_VALID | EVENT_EXCEPTION | EVENT_ERROR_CODE | 14;
	fake.fields[VMCS_IDT_VECTORING_ERROR_CODE] = 6;
	leave(EXIT_EXCEPTION_OR_NMI);
	check_equal(event(), EVENT_VALID | EVENT_EXCEPTION | EVENT_ERROR_CODE | 14);
	check_equal(fake.fields[VMCS_ENTRY_ERROR_CODE], 6);
}

static void test_debug(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	lapic_acknowledge(lapic, 0x41);
	fake.fields[VMCS_EXIT_INTERRUPTION] = EVENT_VALID | EVENT_EXCEPTION | 1;
	fake.fields[VMCS_IDT_VECTORING] = EVENT_VALID | EVENT_EXTERNAL | 0x41;
	fake.words[HOST_EXIT_QUALIFICATION] = 1 << 14;
	leave(EXIT_EXCEPTION_OR_NMI);
	check_equal(event(), EVENT_VALID | EVENT_EXCEPTION | 1);
	check_equal(fake.states[VCPU_STATE_DR6], 0xffff4ff0);
	check_equal(lapic_pending(lapic), 0x41); // not lost
}

static void test_single_step(void) {
	rig_fresh();
	fake.words[HOST_EXIT_RFLAGS] |= RFLAGS_TRAP;
	leave(EXIT_WBINVD);
	check_equal(fake.fields[VMCS_GUEST_PENDING_DEBUG], 1 << 14);
}

static void test_xsetbv(void) {
	static const uint64_t bad[] = {0, 2, 5, 6, 9, 0xe7, 1ull << 62 | 1};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rig_fresh();
		fake.words[W_RAX] = (uint32_t)bad[i];
		fake.words[W_RDX] = bad[i] >> 32;
		leave(EXIT_XSETBV);
		check_equal(event(), PROTECTION_FAULT);
		check_equal(fake.states[VCPU_STATE_XCR0], 1);
	}
	rig_fresh();
	fake.words[W_RAX] = 7;
	leave(EXIT_XSETBV);
	check_equal(fake.states[VCPU_STATE_XCR0], 7);
	fake.words[W_RCX] = 1;
	leave(EXIT_XSETBV);
	check_equal(event(), PROTECTION_FAULT);
}

// MMIO through the loader's identity page tables.
static void mmio(const char *code, unsigned length, uint64_t physical) {
	memcpy(machine.memory.bytes + CODE, code, length);
	fake.words[HOST_EXIT_PHYSICAL] = physical;
	fake.words[W_RBX] = physical;
	fake.words[HOST_EXIT_QUALIFICATION] = 0x181;
	leave(EXIT_EPT_VIOLATION);
}

static void test_mmio(void) {
	rig_fresh();
	fake.words[W_RAX] = ~0ull;
	mmio("\x8b\x03", 2, 0xfee00030);
	check_equal(fake.registers[X86_RAX], 0x50014);
	check_equal(fake.fields[VMCS_GUEST_RIP], CODE + 2);
	mmio("\xc7\x03\xff\x01\x00\x00", 6, 0xfee000f0);
	check_equal(lapic->spurious, 0x1ff);
	check_equal(fake.fields[VMCS_GUEST_RIP], CODE + 6);
	mmio("\x81\x0b\x00\x00\x01\x00", 6, 0xfee00350); // OR
	mmio("\xf7\x03\x00\x00\x01\x00", 6, 0xfee00350); // TEST
	check_equal(fake.fields[VMCS_GUEST_RFLAGS] & RFLAGS_ZERO, 0);
	fake.words[W_RCX] = 0xe0;
	mmio("\x87\x0b", 2, 0xfee00080); // XCHG
	check_equal(lapic->task_priority, 0xe0);
	check_equal(fake.registers[X86_RCX], 0);
}

static void test_mmio_nothing(void) {
	rig_fresh();
	clear_log();
	mmio("\x8a\x23", 2, 0xd0000000); // MOV AH, byte
	check_equal(fake.registers[X86_RAX], 0xff00);
	check(log_has("guest touched address d0000000"));
	mmio("\x0f\x28\x03", 3, 0xfee00030);
	check_equal(event(), INVALID_OPCODE);
	check(fake.running);
}

static void test_mmio_stops(void) {
	static const struct {
		uint64_t qualification, vectoring;
		const char *text;
	} rows[] = {
		{0x184, 0, "execution at address"},
		{0x081, 0, "page tables at address"},
		{0x001, 0, "page tables at address"}, // by MOV to CR3 with PAE paging
		{0x181, EVENT_VALID | 14, "event delivery uses address"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_fresh();
		clear_log();
		fake.fields[VMCS_IDT_VECTORING] = rows[i].vectoring;
		fake.words[HOST_EXIT_QUALIFICATION] = rows[i].qualification;
		fake.words[HOST_EXIT_PHYSICAL] = 0xd0000000;
		leave(EXIT_EPT_VIOLATION);
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
	check_equal(fake.console_signals, 1);
	port(0x3fd, 8, 0x1122334455667788);
	check_equal(fake.registers[X86_RAX], 0x1122334455667760);
	port(0x20, 8 | 1, 0x1122334455667788);
	check_equal(fake.registers[X86_RAX], 0x112233445566ffff);
	port(0xcfc, 8 | 3, 0x1122334455667788);
	check_equal(fake.registers[X86_RAX], 0xffffffff);
}

static void test_outs(void) {
	rig_fresh();
	clear_log();
	memcpy(machine.memory.bytes + STACK, "string\n", 7);
	fake.words[W_RSI] = STACK;
	fake.words[W_RCX] = 7;
	fake.fields[VMCS_GUEST_LINEAR_ADDRESS] = STACK;
	fake.fields[VMCS_EXIT_INSTRUCTION_INFORMATION] = 2 << 7;
	port(0x3f8, 0x30, 0);
	check(log_has("string\n"));
	check_equal(fake.registers[X86_RSI], STACK + 7);
	check_equal(fake.registers[X86_RCX], 0);
	check_equal(fake.fields[VMCS_GUEST_RIP], CODE + 2);
}

static void test_ins_fault(void) {
	rig_fresh();
	fake.words[W_RDI] = 5ull << 39;
	fake.words[W_RCX] = 3;
	fake.fields[VMCS_GUEST_LINEAR_ADDRESS] = 5ull << 39;
	fake.fields[VMCS_EXIT_INSTRUCTION_INFORMATION] = 2 << 7;
	port(0x3fd, 0x38, 0);
	check_equal(event(), EVENT_VALID | EVENT_EXCEPTION | EVENT_ERROR_CODE | 14);
	check_equal(fake.states[VCPU_STATE_CR2], 5ull << 39);
	check_equal(fake.fields[VMCS_ENTRY_ERROR_CODE], 2);
	check_equal(vcpu->registers[X86_RCX], 3);
	check_equal(fake.fields[VMCS_GUEST_RIP], CODE);
}

static void test_stops(void) {
	static const struct {
		uint32_t reason;
		const char *text;
	} rows[] = {
		{EXIT_TRIPLE_FAULT, "guest stopped at 100000: triple fault"},
		{EXIT_ENTRY_GUEST_STATE, "VM entry failed, reason 33"},
		{EXIT_ENTRY_INSTRUCTION_FAILED, "VM entry refused, error 7"},
		{EXIT_TASK_SWITCH, "task switch"},
		{EXIT_EPT_MISCONFIGURATION, "EPT misconfiguration"},
		{69, "unexpected VM exit 69"},
		{1000, "unexpected VM exit 1000"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_fresh();
		clear_log();
		fake.fields[VMCS_INSTRUCTION_ERROR] = 7;
		leave((enum exit_reason)rows[i].reason);
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
		{"exit.debug", "#DB is passed on and an interrupt kept", test_debug},
		{"exit.single_step", "an emulated instruction traps under TF", test_single_step},
		{"exit.xsetbv", "XCR0 takes allowed values only", test_xsetbv},
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
