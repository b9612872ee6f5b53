// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of what an exit leaves for the next VM entry: events, debug state, flags, RIP.
#include "rig.h"

#include <abi/vcpu.h>

static void leave_exception(uint32_t event) {
	fake.fields[VMCS_EXIT_INTERRUPTION] = EVENT_VALID | event;
	leave(EXIT_EXCEPTION_OR_NMI);
}

static void test_int1(void) {
	rig_fresh();
	fake.words[HOST_EXIT_LENGTH] = 1;
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = BLOCKING_BY_MOV_SS;
	fake.words[HOST_EXIT_RFLAGS] |= RFLAGS_TRAP;
	leave_exception(EVENT_PRIVILEGED_SOFTWARE | EXCEPTION_DEBUG);
	check_equal(event(), EVENT_VALID | EVENT_PRIVILEGED_SOFTWARE | EXCEPTION_DEBUG);
	check_equal(fake.states[VCPU_STATE_ENTRY_INSTRUCTION_LENGTH], 1);
	check_equal(fake.states[VCPU_STATE_DR6], 0xffff0ff0);
	check_equal(fake.fields[VMCS_GUEST_RIP], CODE);
	// Nothing that VM entry would want a pending single step for.
	check_equal(fake.fields[VMCS_GUEST_INTERRUPTIBILITY], 0);
}

static void test_step_in_shadow(void) {
	static const uint64_t shadows[] = {BLOCKING_BY_STI, BLOCKING_BY_MOV_SS};
	for (unsigned i = 0; i < 2; i++) {
		rig_fresh();
		fake.words[HOST_EXIT_RFLAGS] |= RFLAGS_TRAP;
		fake.words[HOST_EXIT_INTERRUPTIBILITY] = shadows[i];
		fake.words[HOST_EXIT_QUALIFICATION] = 1 << 14;
		leave_exception(EVENT_EXCEPTION | EXCEPTION_DEBUG);
		check_equal(fake.fields[VMCS_GUEST_PENDING_DEBUG], PENDING_DEBUG_STEP);
	}
	rig_fresh();
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = BLOCKING_BY_STI;
	leave_exception(EVENT_EXCEPTION | EXCEPTION_DEBUG);
	check_equal(fake.fields[VMCS_GUEST_PENDING_DEBUG], 0);
}

static void test_debug_registers(void) {
	rig_fresh();
	fake.fields[VMCS_GUEST_DR7] = 1 << 13 | 0x400;
	fake.fields[VMCS_GUEST_DEBUGCTL] = DEBUGCTL_BRANCH_STEP;
	fake.words[HOST_EXIT_RFLAGS] |= RFLAGS_TRAP;
	fake.words[HOST_EXIT_QUALIFICATION] = 1 << 14;
	leave_exception(EVENT_EXCEPTION | EXCEPTION_DEBUG);
	check_equal(fake.fields[VMCS_GUEST_DR7], 0x400);
	check_equal(fake.fields[VMCS_GUEST_DEBUGCTL], 0);
}

static void test_branch_step(void) {
	rig_fresh();
	fake.words[HOST_EXIT_RFLAGS] |= RFLAGS_TRAP;
	fake.fields[VMCS_GUEST_DEBUGCTL] = DEBUGCTL_BRANCH_STEP;
	leave(EXIT_WBINVD);
	check_equal(fake.fields[VMCS_GUEST_PENDING_DEBUG], 0);
}

static void test_resume_flag(void) {
	rig_fresh();
	fake.words[W_RCX] = 0xc0010015;
	leave(EXIT_RDMSR);
	check_equal(event(), PROTECTION_FAULT);
	check(fake.fields[VMCS_GUEST_RFLAGS] & RFLAGS_RESUME);
	rig_fresh();
	leave(EXIT_VMCALL);
	check_equal(event(), INVALID_OPCODE);
	check(fake.fields[VMCS_GUEST_RFLAGS] & RFLAGS_RESUME);
	rig_fresh();
	leave_exception(EVENT_EXCEPTION | EXCEPTION_DEBUG);
	check(!(fake.fields[VMCS_GUEST_RFLAGS] & RFLAGS_RESUME));
	// An EPT violation saves RF set (SDM 3C 27.3.3), and the instruction ends here.
	rig_fresh();
	fake.words[HOST_EXIT_RFLAGS] |= RFLAGS_RESUME;
	leave(EXIT_WBINVD);
	check(!(fake.fields[VMCS_GUEST_RFLAGS] & RFLAGS_RESUME));
}

static void test_halt_under_step(void) {
	rig_fresh();
	fake.words[HOST_EXIT_RFLAGS] |= RFLAGS_TRAP;
	leave(EXIT_HLT);
	check(fake.running);
	check_equal(fake.fields[VMCS_GUEST_PENDING_DEBUG], PENDING_DEBUG_STEP);
}

// An entry that injects would forget the trap of the instruction before.
static void test_trap_before_interrupt(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	lapic_receive(lapic, &(struct apic_message){.vector = 0x41});
	lapic->nmi_pending = true;
	fake.words[HOST_EXIT_RFLAGS] |= RFLAGS_TRAP;
	leave(EXIT_WBINVD);
	check_equal(fake.fields[VMCS_GUEST_PENDING_DEBUG], PENDING_DEBUG_STEP);
	check_equal(event() & EVENT_VALID, 0);
	notify(HOST_CHANNEL_TIMER); // before the entry
	check_equal(event() & EVENT_VALID, 0);
	fake.words[HOST_EXIT_QUALIFICATION] = 1 << 14;
	leave_exception(EVENT_EXCEPTION | EXCEPTION_DEBUG);
	check_equal(event(), EVENT_VALID | EVENT_EXCEPTION | EXCEPTION_DEBUG);
	check(fake.fields[VMCS_PRIMARY_CONTROLS] & PRIMARY_INTERRUPT_WINDOW);
	leave(EXIT_NMI_WINDOW);
	check_equal(event(), EVENT_VALID | EVENT_NMI | 2);
	leave(EXIT_INTERRUPT_WINDOW);
	check_equal(event(), EVENT_VALID | 0x41);
}

static void test_breakpoint_of_mov_ss(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	lapic_receive(lapic, &(struct apic_message){.vector = 0x41});
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = BLOCKING_BY_MOV_SS;
	fake.fields[VMCS_GUEST_PENDING_DEBUG] = PENDING_DEBUG_ENABLED | 1;
	leave(EXIT_WBINVD);
	check_equal(fake.fields[VMCS_GUEST_INTERRUPTIBILITY], 0);
	check_equal(event() & EVENT_VALID, 0);
	check(fake.fields[VMCS_PRIMARY_CONTROLS] & PRIMARY_INTERRUPT_WINDOW);
	leave(EXIT_HLT); // which ends at once
	check(fake.running);
}

static void test_nmi_of_another_guest(void) {
	rig_fresh();
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = BLOCKING_BY_NMI;
	leave(EXIT_CPUID);
	check_equal(fake.fields[VMCS_GUEST_INTERRUPTIBILITY], 0);
	lapic->nmi_pending = true;
	leave(EXIT_CPUID);
	check_equal(event(), EVENT_VALID | EVENT_NMI | 2);
	// Now it is this guest's own block.
	leave(EXIT_CPUID);
	check_equal(fake.fields[VMCS_GUEST_INTERRUPTIBILITY], BLOCKING_BY_NMI);
	lapic->nmi_pending = true;
	leave(EXIT_CPUID);
	check_equal(event(), EVENT_NMI | 2);
	check(fake.fields[VMCS_PRIMARY_CONTROLS] & PRIMARY_NMI_WINDOW);
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = 0;
	leave(EXIT_NMI_WINDOW);
	check_equal(event(), EVENT_VALID | EVENT_NMI | 2);
}

static void test_nmi_redelivered(void) {
	rig_fresh();
	lapic->nmi_pending = true;
	leave(EXIT_CPUID);
	fake.words[HOST_EXIT_INTERRUPTIBILITY] = BLOCKING_BY_NMI;
	fake.fields[VMCS_IDT_VECTORING] = EVENT_VALID | EVENT_NMI | 2;
	leave_exception(EVENT_NMI | 2);
	check_equal(event(), EVENT_VALID | EVENT_NMI | 2);
	check_equal(fake.fields[VMCS_GUEST_INTERRUPTIBILITY], 0);
}

static void test_unblocking_iret(void) {
	enum { UNBLOCKED = 1 << 12 };
	rig_fresh();
	leave_exception(EVENT_EXCEPTION | EVENT_ERROR_CODE | UNBLOCKED | EXCEPTION_ALIGNMENT);
	check_equal(fake.fields[VMCS_GUEST_INTERRUPTIBILITY], BLOCKING_BY_NMI);
	// The bit says nothing while an event was being delivered.
	rig_fresh();
	fake.fields[VMCS_IDT_VECTORING] = EVENT_VALID | EVENT_EXTERNAL | 0x41;
	leave_exception(EVENT_EXCEPTION | EVENT_ERROR_CODE | UNBLOCKED | EXCEPTION_ALIGNMENT);
	check_equal(fake.fields[VMCS_GUEST_INTERRUPTIBILITY], 0);
}

static void pass(uint64_t rip, uint64_t code_access, uint64_t expected) {
	rig_fresh();
	fake.words[HOST_EXIT_RIP] = rip;
	fake.fields[VMCS_GUEST_CS_ACCESS] = code_access;
	leave(EXIT_CPUID);
	check_equal(fake.fields[VMCS_GUEST_RIP], expected);
}

static void test_instruction_pointer(void) {
	enum { CODE_64 = 0xa09b, CODE_32 = 0xc09b, CODE_16 = 0x9b };
	pass(0xfffffffe, CODE_64, 0x100000000);
	pass(0xfffffffe, CODE_32, 0);
	pass(0xfffffffe, CODE_16, 0);
	pass(0xfffe, CODE_16, 0x10000); // beyond the segment's limit: the CPU's fault
	pass(0x00007ffffffffffe, CODE_64, 0x0000800000000000);
	pass(0xfffffffffffffffe, CODE_64, 0);
}

int main(void) {
	static const struct test tests[] = {
		{"event.int1", "INT1 is passed on as an instruction, once", test_int1},
		{"event.shadow", "#DB under STI or MOV SS leaves BS set", test_step_in_shadow},
		{"event.debug", "#DB clears GD and BTF", test_debug_registers},
		{"event.branch_step", "BTF lets no instruction trap here", test_branch_step},
		{"event.resume_flag", "faults set RF, instructions end it", test_resume_flag},
		{"event.halt_step", "HLT under TF does not halt", test_halt_under_step},
		{"event.trap_first", "a trap comes before NMIs and interrupts",
			test_trap_before_interrupt},
		{"event.mov_ss", "a breakpoint that MOV SS met comes before interrupts",
			test_breakpoint_of_mov_ss},
		{"event.nmi_other", "another guest's NMI blocks none", test_nmi_of_another_guest},
		{"event.nmi_again", "an interrupted NMI is not blocked", test_nmi_redelivered},
		{"event.unblocking", "a faulting IRET leaves NMIs blocked", test_unblocking_iret},
		{"event.rip", "RIP has 64, 32 or limited bits", test_instruction_pointer},
	};
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));
	rig_free();
	return status;
}
