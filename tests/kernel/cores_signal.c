// SPDX-License-Identifier: BSD-2-Clause
// Tests: signals, bound notifications and interrupts across cores.
#include "cores.h"

enum { ROUNDS = 100, BADGE = 0x40 };

static void signal_wakes(void) {
	struct helper *helper = core_helper(core_other(0), PRIORITY_HELPER);
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	helper->argument[0] = notification;
	helper_start(helper, core_wait_once);
	core_pass(1000);
	CHECK_EQUAL(helper->done, 0);
	ipc_signal(cap_mint(notification, RIGHTS_ALL, BADGE));
	CHECK_MEANWHILE(helper->done);
	CHECK_EQUAL(helper->message.badge, BADGE);
	CHECK_EQUAL(helper->result[0], core_id(core_other(0)));
}

static void pass_on(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		(void)ipc_wait(helper->argument[0]);
		helper->count++;
		ipc_signal(helper->argument[1]);
	}
}

// Around all cores, each of which is idle until its turn comes.
static void around(void) {
	struct helper *helpers[HELPERS];
	unsigned count = core_count() - 1 < HELPERS ? core_count() - 1 : HELPERS;
	uint64_t first = object_new(OBJECT_NOTIFICATION, 0), from = first;

	for (unsigned index = 0; index < count; index++) {
		helpers[index] = core_helper(1 + index, PRIORITY_HELPER);
		helpers[index]->argument[0] = from;
		from = helpers[index]->argument[1] = object_new(OBJECT_NOTIFICATION, 0);
		helper_start(helpers[index], pass_on);
	}
	for (unsigned round = 0; round < ROUNDS; round++) {
		ipc_signal(first);
		(void)ipc_wait(from);
	}
	for (unsigned index = 0; index < count; index++)
		CHECK_EQUAL(helpers[index]->count, ROUNDS);
}

static void wait_many(struct helper *helper) {
	while (helper->result[0] != helper->argument[1])
		helper->result[0] |= ipc_wait(helper->argument[0]).badge;
}

static void signal_once(struct helper *helper) { ipc_signal(helper->argument[0]); }

// Bits that come from all cores at once add up, and none is lost.
static void no_signal_is_lost(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	struct helper *waiter = core_helper(core_other(0), PRIORITY_HELPER);
	struct helper *senders[8];

	waiter->argument[0] = notification;
	waiter->argument[1] = (1ul << array_count(senders)) - 1;
	helper_start(waiter, wait_many);
	for (unsigned index = 0; index < array_count(senders); index++) {
		senders[index] = core_helper(core_other(index), PRIORITY_HELPER - 1);
		senders[index]->argument[0] = cap_mint(notification, RIGHTS_ALL, 1ul << index);
		helper_start(senders[index], signal_once);
	}
	CHECK_MEANWHILE(waiter->done);
}

static void signal_preempts(void) {
	unsigned core = core_other(0);
	struct helper *lower = core_start(core, PRIORITY_HELPER, core_spin);
	struct helper *higher = core_helper(core, PRIORITY_HELPER + 1);
	struct helper *lowest = core_helper(core, PRIORITY_HELPER - 1);

	higher->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
	lowest->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(lowest, core_wait_once);
	helper_start(higher, core_wait_once);
	CHECK_COUNTS(lower, core);
	ipc_signal(lowest->argument[0]);
	ipc_signal(higher->argument[0]);
	CHECK_MEANWHILE(higher->done);
	CHECK_COUNTS(lower, core);
	CHECK_EQUAL(lowest->done, 0);
}

static void bound_arrives(void) {
	struct helper *helper = core_helper(core_other(0), PRIORITY_HELPER);
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	helper->argument[0] = object_new(OBJECT_ENDPOINT, 0);
	helper->argument[1] = object_new(OBJECT_REPLY, 0);
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_BIND_NOTIFICATION, CAPS(notification), WORDS()));
	helper_start(helper, helper_receive);
	core_pass(1000);
	ipc_signal(cap_mint(notification, RIGHTS_ALL, BADGE));
	CHECK_MEANWHILE(helper->done);
	CHECK_EQUAL(helper->message.badge, BADGE);
}

static void receive_both(struct helper *helper) {
	for (;;) {
		struct message message = ipc_recv(helper->argument[0], helper->argument[1]);

		if (message.badge == BADGE)
			helper->result[0]++;
		else
			helper->result[1]++;
		helper->count++;
	}
}

static void send_many(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS; round++)
		ipc_send(helper->argument[0], 0, WORDS());
}

// Signals from one core and messages from another: the thread leaves the endpoint for either.
static void bound_beside_messages(void) {
	struct helper *helper = core_helper(core_other(0), PRIORITY_HELPER);
	struct helper *sender = core_helper(core_other(1), PRIORITY_HELPER);
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t badged = cap_mint(notification, RIGHTS_ALL, BADGE);

	helper->argument[0] = sender->argument[0] = object_new(OBJECT_ENDPOINT, 0);
	helper->argument[1] = object_new(OBJECT_REPLY, 0);
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_BIND_NOTIFICATION, CAPS(notification), WORDS()));
	helper_start(helper, receive_both);
	helper_start(sender, send_many);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t before = helper->result[0];

		ipc_signal(badged);
		CHECK_MEANWHILE(helper->result[0] > before);
	}
	CHECK_MEANWHILE(sender->done);
	CHECK_MEANWHILE(helper->result[1] == ROUNDS);
	CHECK_EQUAL(helper->result[0], ROUNDS);
}

// A thread without a context gets the notification's, and runs where that is.
static void context_of_notification(void) {
	struct helper *helper = helper_make_passive(PRIORITY_HELPER);
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t context = sched_context_make(
		(struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE});
	uint64_t own = sched_context_make(
		(struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE});

	CHECK_OK(core_move(core_other(0), own));
	CHECK_OK(core_move(core_other(1), context));
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_BIND_NOTIFICATION, CAPS(notification), WORDS()));
	helper->argument[0] = notification;
	CHECK_OK(invoke(own, LABEL_SCHED_CONTEXT_BIND, CAPS(helper->tcb), WORDS()));
	helper_start(helper, core_wait_once);
	CHECK_MEANWHILE(helper->result[1]);
	core_pass(20000);
	CHECK_OK(invoke(own, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	CHECK_OK(invoke(context, LABEL_SCHED_CONTEXT_BIND, CAPS(notification), WORDS()));
	core_pass(1000);
	CHECK_EQUAL(helper->done, 0);
	ipc_signal(notification);
	CHECK_MEANWHILE(helper->done);
	CHECK_EQUAL(helper->result[0], core_id(core_other(1)));
}

static const struct test tests[] = {
	{"cores-signal", "Signal wakes a thread of another core", signal_wakes, NULL},
	{"cores-signal-ring", "a signal goes around idle cores", around, NULL},
	{"cores-signal-all", "signals that come from all cores at once are all seen",
		no_signal_is_lost, NULL},
	{"cores-signal-preempts", "a signal preempts what another core runs, if it is lower",
		signal_preempts, NULL},
	{"cores-bound", "a bound notification wakes its thread of another core", bound_arrives,
		NULL},
	{"cores-bound-messages", "signals and messages of two cores reach one thread",
		bound_beside_messages, NULL},
	{"cores-notification-sc", "a notification's context takes its thread to its core",
		context_of_notification, NULL},
};

TEST_FILE(cores_signal);
