// SPDX-License-Identifier: BSD-2-Clause
// Threads that are suspended by another while their guest runs, and resumed: the guest continues
// where it was, and takes each event once.
#include <user/untyped.h>

#include "guest.h"
#include "helper.h"
#include "test.h"

CODE_DECLARE(code_once_then_spin);
CODE_DECLARE(code_spin_masked);
extern const uint8_t code_spin_handler[];

enum {
	VECTOR_TEST = 0x40,
	STOPS = 3,
	BUDGET_US = 1000,
	PERIOD_US = 4000,
	SLICE_US = 5000, // of the initial task (BOOT-5)
	ROUNDS = 100, // the guest continues if it counts so far
	REGISTER_R10 = 12,
};

// Words that code_once_then_spin counts in.
enum {
	PLACE_ROUNDS = GUEST_DATA,
	PLACE_STARTS = GUEST_DATA + 8,
	PLACE_EVENTS = GUEST_DATA + 16,
};

static struct guest *const guest = &guest_one;
static volatile uint64_t stops; // done by the helper

static void start(struct guest *machine) {
	guest_reset(machine, CODE(code_once_then_spin));
	guest_set_gate(machine, VECTOR_TEST,
		GUEST_CODE + (uint64_t)(code_spin_handler - code_once_then_spin));
	field_write(machine, VMCS_GUEST_RFLAGS, 0x202);
}

static void check_counts(const struct guest *machine, uint64_t events) {
	CHECK_EQUAL(*guest_word(machine, PLACE_STARTS), 1);
	CHECK_EQUAL(*guest_word(machine, PLACE_EVENTS), events);
}

// Enters with an event and runs until the helper's signal.
static void enter_until_signal(void (*body)(void)) {
	stops = 0;
	helper_bind();
	helper_run(body, HELPER_EQUAL);
	guest->event = INTERRUPTION_VALID | VECTOR_TEST;
	guest_enter(guest);
	CHECK_EQUAL(guest->result, SEL4_VMENTER_RESULT_NOTIF);
	CHECK_EQUAL(guest->badge, HELPER_BADGE);
	CHECK_EQUAL(stops, STOPS);
	helper_stop();
	helper_unbind();
}

// Suspend and Resume

static void suspend_and_resume(void) {
	for (stops = 0; stops < STOPS; stops++) {
		helper_work();
		helper_invoke(seL4_CapInitThreadTCB, LABEL_TCB_SUSPEND, 0);
		helper_work();
		helper_invoke(seL4_CapInitThreadTCB, LABEL_TCB_RESUME, 0);
	}
	helper_signal();
}

static void stop_suspend(const struct test *) {
	start(guest);
	enter_until_signal(suspend_and_resume);
	check_counts(guest, 1);
}

static void suspend_for_signal(void) {
	for (stops = 0; stops < STOPS; stops++)
		helper_work();
	helper_invoke(seL4_CapInitThreadTCB, LABEL_TCB_SUSPEND, 0);
	helper_signal();
	helper_invoke(seL4_CapInitThreadTCB, LABEL_TCB_RESUME, 0);
}

static void stop_signal(const struct test *) {
	uint64_t rounds;

	start(guest);
	enter_until_signal(suspend_for_signal);
	check_counts(guest, 1);
	CHECK(guest->rip > GUEST_CODE);
	CHECK_EQUAL(guest->words[WORD_EVENT] & INTERRUPTION_VALID, 0);
	rounds = *guest_word(guest, PLACE_ROUNDS);
	enter_until_signal(suspend_and_resume);
	check_counts(guest, 2);
	CHECK(*guest_word(guest, PLACE_ROUNDS) > rounds);
}

// The monitor's timer continues too: one round takes two instructions.
static void stop_timer(const struct test *) {
	const uint64_t value = 2000000;

	guest_reset(guest, CODE(code_spin_masked));
	field_write(guest, VMCS_PIN_CONTROLS, PIN_TIMER);
	field_write(guest, VMCS_PREEMPTION_TIMER, value);
	if (!(field_read(guest, VMCS_PIN_CONTROLS) & PIN_TIMER)) {
		test_skip("this CPU has no preemption timer");
		return;
	}
	stops = 0;
	helper_run(suspend_and_resume, HELPER_EQUAL);
	guest_enter(guest);
	helper_stop();
	CHECK_EQUAL(guest->words[WORD_REASON], REASON_TIMER);
	CHECK(stops > 0);
	CHECK(*guest_word(guest, GUEST_DATA) > value / 4);
	CHECK(*guest_word(guest, GUEST_DATA) <= value / 2 + ROUNDS);
}

// Timeout faults

static void answer_timeouts(void) {
	for (stops = 0; stops < STOPS;) {
		struct sel4_registers registers = {.rdi = helper_faults, .r12 = helper_reply};

		sel4_syscall(SYSCALL_RECV, &registers);
		if (tag_label(registers.rsi) == FAULT_TIMEOUT) stops++;
		registers = (struct sel4_registers){.rdi = helper_reply};
		sel4_syscall(SYSCALL_SEND, &registers);
	}
	helper_signal();
}

static void set_budget(uint64_t budget, uint64_t period, seL4_CPtr handler) {
	CHECK_EQUAL(seL4_TCB_SetTimeoutEndpoint(seL4_CapInitThreadTCB, handler), 0);
	CHECK_EQUAL(seL4_SchedControl_Configure(
			    helper_sched_control, seL4_CapInitThreadSC, budget, period, 0, 0),
		0);
}

static void stop_timeout(const struct test *) {
	start(guest);
	set_budget(BUDGET_US, PERIOD_US, helper_faults);
	enter_until_signal(answer_timeouts);
	set_budget(SLICE_US, SLICE_US, 0);
	check_counts(guest, 1);
}

// A guest in the helper, and what this program does to it

static void helper_enter(void) {
	struct sel4_registers registers = {
		.words = {GUEST_CODE, 0, INTERRUPTION_VALID | VECTOR_TEST}};

	sel4_syscall(SYSCALL_VM_ENTER, &registers);
}

static void wait_for_rounds(void) {
	volatile uint64_t *rounds = guest_word(&guest_two, PLACE_ROUNDS);
	uint64_t end = *rounds + ROUNDS;

	for (unsigned i = 0; i < 10 && *rounds < end; i++)
		seL4_Yield();
	CHECK(*rounds >= end);
}

// Only with an IPC buffer are the words of VMEnter looked at.
static void start_in_helper(void) {
	static seL4_CPtr buffer;

	if (!buffer) buffer = object_make(OBJECT_PAGE, 0);
	start(&guest_two);
	CHECK_EQUAL(seL4_TCB_SetIPCBuffer(helper_tcb, GUEST_SIZE, buffer), 0);
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(guest_two.vcpu, helper_tcb), 0);
	CHECK_EQUAL(seL4_TCB_SetEPTRoot(helper_tcb, guest_two.space.root), 0);
	helper_run(helper_enter, HELPER_EQUAL);
	wait_for_rounds();
}

static void end_in_helper(void) {
	wait_for_rounds();
	check_counts(&guest_two, 1);
	helper_stop();
	CHECK_EQUAL(seL4_TCB_SetIPCBuffer(helper_tcb, 0, 0), 0);
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(guest_two.vcpu, seL4_CapInitThreadTCB), 0);
}

// What a debugger does: all registers out and in again.
static void stop_registers(const struct test *) {
	seL4_UserContext context;
	seL4_Word *words = (seL4_Word *)&context;
	const unsigned count = sizeof(context) / sizeof(seL4_Word);

	start_in_helper();
	CHECK_EQUAL(seL4_TCB_ReadRegisters(helper_tcb, 1, 0, count, &context), 0);
	CHECK(words[REGISTER_R10] > GUEST_CODE);
	CHECK(words[REGISTER_R10] <
		GUEST_CODE + (uint64_t)(code_spin_handler - code_once_then_spin));
	CHECK_EQUAL(seL4_TCB_WriteRegisters(helper_tcb, 1, 0, count, &context), 0);
	end_in_helper();
}

static void stop_taken(const struct test *) {
	start_in_helper();
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(guest_two.vcpu, seL4_CapInitThreadTCB), 0);
	CHECK_EQUAL(seL4_X86_VCPU_SetTCB(guest_two.vcpu, helper_tcb), 0);
	end_in_helper();
}

static void stop_others(const struct test *) {
	start_in_helper();
	CHECK_EQUAL(seL4_TCB_SetPriority(helper_tcb, seL4_CapInitThreadTCB, HELPER_EQUAL - 1), 0);
	CHECK_EQUAL(seL4_TCB_SetPriority(helper_tcb, seL4_CapInitThreadTCB, HELPER_EQUAL), 0);
	wait_for_rounds();
	CHECK_EQUAL(seL4_SchedContext_Unbind(helper_sched_context), 0);
	CHECK_EQUAL(seL4_SchedContext_Bind(helper_sched_context, helper_tcb), 0);
	wait_for_rounds();
	CHECK_EQUAL(seL4_DomainSet_Set(seL4_CapDomain, 0, helper_tcb), 0);
	end_in_helper();
}

static const struct test tests[] = {
	{"stop-suspend", "a guest continues where it was after Suspend and Resume of its thread",
		stop_suspend, NULL},
	{"stop-signal", "after a signal to a suspended thread the message has the guest's position",
		stop_signal, NULL},
	{"stop-timer", "the monitor's timer continues after Suspend and Resume", stop_timer, NULL},
	{"stop-timeout", "a guest continues where it was after a timeout fault and its reply",
		stop_timeout, NULL},
	{"stop-registers", "a thread's registers, read and written back, hold its guest's place",
		stop_registers, NULL},
	{"stop-taken", "a VCPU taken from its thread and given back continues where it was",
		stop_taken, NULL},
	{"stop-others", "a guest does not notice another priority, context or domain of its thread",
		stop_others, NULL},
};

TEST_FILE(test_stops);
