// SPDX-License-Identifier: BSD-2-Clause
// Tests: entries to the kernel in the last moments of a budget.
#include "world.h"

enum {
	BUDGET = 200, // microseconds
	FAULTS = 3000,
	UNKNOWN_NUMBER = 77,
	PULSES = 2000,
	PULSE_PERIOD = 130, // not a divisor of BUDGET: it meets the turn at all moments
};

static void fault_always(struct helper *) {
	system_call(UNKNOWN_NUMBER, &(struct call_registers){0});
}

// A reply without words lets the thread run into the same fault again, so that its faults come at
// all moments of its turn, the last one included.
static void unknown_syscall_late(void) {
	struct helper *helper = helper_make_with(
		PRIORITY_HELPER, (struct sched_setting){.budget = BUDGET, .period = BUDGET});
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);

	helper_fault_handler_set(helper, endpoint);
	helper_start(helper, fault_always);
	for (unsigned fault = 0; fault < FAULTS; fault++) {
		struct message message = ipc_recv(endpoint, reply);

		CHECK_EQUAL(message.label, FAULT_UNKNOWN_SYSCALL);
		ipc_send(reply, 0, WORDS());
	}
}

static void identify_always(struct helper *) {
	for (;;)
		system_call(SYSCALL_DEBUG_CAP_IDENTIFY, &(struct call_registers){0});
}

static void pulse(struct helper *helper) {
	for (;;) {
		ipc_send(helper->argument[0], 0, WORDS());
		system_call(SYSCALL_YIELD, &(struct call_registers){0});
	}
}

// Debug calls do not check the budget, so a release during one preempts the caller however little
// budget it has left.
static void debug_call_late(void) {
	struct helper *caller = helper_make_with(
		PRIORITY_HELPER, (struct sched_setting){.budget = BUDGET, .period = BUDGET});
	struct helper *pulser = helper_make_with(PRIORITY_HELPER + 1,
		(struct sched_setting){.budget = PULSE_PERIOD / 2, .period = PULSE_PERIOD});
	uint64_t reply = object_new(OBJECT_REPLY, 0);

	pulser->argument[0] = object_new(OBJECT_ENDPOINT, 0);
	helper_start(caller, identify_always);
	helper_start(pulser, pulse);
	for (unsigned i = 0; i < PULSES; i++) {
		(void)ipc_recv(pulser->argument[0], reply);
		CHECK_OK(invoke(caller->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
		CHECK_OK(invoke(caller->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	}
}

static const struct test tests[] = {
	{"budget-end-unknown-syscall",
		"a thread that faults at the very end of its turn runs on after the reply",
		unknown_syscall_late, NULL},
	{"budget-end-debug-call",
		"a thread preempted in a debug call at the end of its turn runs on after it",
		debug_call_late, NULL},
};

TEST_FILE(budget_end);
