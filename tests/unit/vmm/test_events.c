// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of what an exit leaves for the next VM entry: events, debug state, flags, RIP.
#include "rig.h"

static void test_branch_step(void) {
	rig_fresh();
	fake.exit.rflags |= FLAGS_TF;
	fake.guest.debugctl = DEBUGCTL_BTF;
	leave(VCPU_EXIT_WBINVD);
	check_equal(fake.guest.pending_debug, 0);
}

static void test_resume_flag(void) {
	rig_fresh();
	fake.exit.registers[X86_RCX] = 0xc0010015;
	leave(VCPU_EXIT_RDMSR);
	check_equal(event(), PROTECTION_FAULT);
	check(fake.guest.rflags & FLAGS_RF);
	rig_fresh();
	leave(VCPU_EXIT_HYPERCALL);
	check_equal(event(), INVALID_OPCODE);
	check(fake.guest.rflags & FLAGS_RF);
	// An EPT violation saves RF set (SDM 3C 27.3.3), and the instruction ends here.
	rig_fresh();
	fake.exit.rflags |= FLAGS_RF;
	leave(VCPU_EXIT_WBINVD);
	check(!(fake.guest.rflags & FLAGS_RF));
}

static void test_halt_under_step(void) {
	rig_fresh();
	fake.exit.rflags |= FLAGS_TF;
	leave(VCPU_EXIT_HLT);
	check(fake.running);
	check_equal(fake.guest.pending_debug, PENDING_DEBUG_STEP);
}

// An entry that injects would forget the trap of the instruction before.
static void test_trap_before_interrupt(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	lapic_receive(lapic, &(struct apic_message){.vector = 0x41});
	lapic->nmi_pending = true;
	fake.exit.rflags |= FLAGS_TF;
	leave(VCPU_EXIT_WBINVD);
	check_equal(fake.guest.pending_debug, PENDING_DEBUG_STEP);
	check_equal(event() & VCPU_EVENT_VALID, 0);
	notify(HOST_CHANNEL_TIMER); // before the entry
	check_equal(event() & VCPU_EVENT_VALID, 0);
	check(fake.guest.windows & VCPU_WINDOW_INTERRUPT);
	fake.exit.rflags &= ~(uint64_t)FLAGS_TF; // the handler of #DB
	leave(VCPU_EXIT_NMI_WINDOW);
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_NMI | 2);
	leave(VCPU_EXIT_INTERRUPT_WINDOW);
	check_equal(event(), VCPU_EVENT_VALID | 0x41);
}

static void test_breakpoint_of_mov_ss(void) {
	rig_fresh();
	lapic_register_write(lapic, 0xf, 0x1ff);
	lapic_receive(lapic, &(struct apic_message){.vector = 0x41});
	fake.exit.interruptibility = VCPU_BLOCKED_BY_MOV_SS;
	fake.guest.pending_debug = PENDING_DEBUG_ENABLED | 1;
	leave(VCPU_EXIT_WBINVD);
	check_equal(fake.guest.interruptibility, 0);
	check_equal(event() & VCPU_EVENT_VALID, 0);
	check(fake.guest.windows & VCPU_WINDOW_INTERRUPT);
	leave(VCPU_EXIT_HLT); // which ends at once
	check(fake.running);
}

static void test_nmi_of_another_guest(void) {
	rig_fresh();
	fake.exit.interruptibility = VCPU_BLOCKED_BY_NMI;
	leave(VCPU_EXIT_CPUID);
	check_equal(fake.guest.interruptibility, 0);
	lapic->nmi_pending = true;
	leave(VCPU_EXIT_CPUID);
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_NMI | 2);
	// Now it is this guest's own block.
	leave(VCPU_EXIT_CPUID);
	check_equal(fake.guest.interruptibility, VCPU_BLOCKED_BY_NMI);
	lapic->nmi_pending = true;
	leave(VCPU_EXIT_CPUID);
	check_equal(event(), VCPU_EVENT_NMI | 2);
	check(fake.guest.windows & VCPU_WINDOW_NMI);
	fake.exit.interruptibility = 0;
	leave(VCPU_EXIT_NMI_WINDOW);
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_NMI | 2);
}

// The exit of a host's NMI interrupts the delivery of one of the guest's.
static void test_nmi_redelivered(void) {
	rig_fresh();
	lapic->nmi_pending = true;
	leave(VCPU_EXIT_CPUID);
	fake.exit.interruptibility = VCPU_BLOCKED_BY_NMI;
	fake.exit.interrupted.information = VCPU_EVENT_VALID | VCPU_EVENT_NMI | 2;
	leave(VCPU_EXIT_EXCEPTION);
	check_equal(event(), VCPU_EVENT_VALID | VCPU_EVENT_NMI | 2);
	check_equal(fake.guest.interruptibility, 0);
}

static void test_unblocking_iret(void) {
	rig_fresh();
	fake.exit.physical = 0xd0000000;
	fake.exit.qualification = VCPU_MEMORY_READ | VCPU_MEMORY_LINEAR | VCPU_MEMORY_FINAL |
		VCPU_MEMORY_UNBLOCKED_NMI;
	leave(VCPU_EXIT_MEMORY);
	check_equal(fake.guest.interruptibility, VCPU_BLOCKED_BY_NMI);
}

static void pass(uint64_t rip, uint16_t code_access, uint64_t expected) {
	rig_fresh();
	fake.exit.rip = rip;
	fake.guest.segments[VCPU_CS].attributes = code_access;
	leave(VCPU_EXIT_CPUID);
	check_equal(fake.guest.rip, expected);
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
