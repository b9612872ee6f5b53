// SPDX-License-Identifier: BSD-2-Clause
// Tests: ways into the kernel in the last moments of a budget.
#include "world.h"

enum {
	BUDGET = 200, // microseconds
	FAULTS = 3000,
	UNKNOWN_NUMBER = 77,
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

static const struct test tests[] = {
	{"budget-end-unknown-syscall",
		"a thread that faults at the very end of its turn runs on after the reply",
		unknown_syscall_late, NULL},
};

TEST_FILE(budget_end);
