// SPDX-License-Identifier: BSD-2-Clause
// Tests: notifications bound to a thread or to a scheduling context (NTF-6 to NTF-11).
#include "world.h"

static void receive_rounds(struct helper *helper) {
	for (;;) {
		helper->message = ipc_recv(helper->argument[0], helper->argument[1]);
		helper->count++;
	}
}

struct bound {
	struct helper *helper;
	uint64_t notification;
	uint64_t badged;
	uint64_t endpoint;
};

static struct bound bound_make(void) {
	struct bound made = {
		.helper = helper_make(PRIORITY_HELPER),
		.notification = object_new(OBJECT_NOTIFICATION, 0),
		.endpoint = object_new(OBJECT_ENDPOINT, 0),
	};

	made.badged = cap_mint(made.notification, RIGHTS_ALL, 0x40);
	made.helper->argument[0] = made.endpoint;
	made.helper->argument[1] = object_new(OBJECT_REPLY, 0);
	CHECK_OK(invoke(
		made.helper->tcb, LABEL_TCB_BIND_NOTIFICATION, CAPS(made.notification), WORDS()));
	return made;
}

static void arrives_on_endpoint(void) {
	struct bound made = bound_make();

	helper_start(made.helper, receive_rounds);
	settle();
	ipc_signal(made.badged);
	settle();
	CHECK_EQUAL(made.helper->count, 1);
	CHECK_EQUAL(made.helper->message.badge, 0x40);
	// It left the endpoint's queue and is back in it.
	ipc_send(made.endpoint, 3, WORDS());
	settle();
	CHECK_EQUAL(made.helper->count, 2);
	CHECK_EQUAL(made.helper->message.label, 3);
}

static void active_before_endpoint(void) {
	struct bound made = bound_make();

	ipc_signal(made.badged);
	helper_start(made.helper, receive_rounds);
	settle();
	CHECK_EQUAL(made.helper->count, 1);
	CHECK_EQUAL(made.helper->message.badge, 0x40);
}

static void poll_once(struct helper *helper) {
	helper->message = ipc_nb_recv(helper->argument[0], helper->argument[1]);
}

static void seen_by_polling(void) {
	struct bound made = bound_make();

	ipc_signal(made.badged);
	helper_start(made.helper, poll_once);
	settle();
	CHECK_EQUAL(made.helper->message.badge, 0x40);
}

static void call_once(struct helper *helper) {
	helper->message = ipc_call(helper->argument[0], 1, WORDS());
}

static void not_while_calling(void) {
	struct bound made = bound_make();
	uint64_t reply = object_new(OBJECT_REPLY, 0);

	helper_start(made.helper, call_once);
	settle();
	ipc_signal(made.badged);
	settle();
	CHECK_EQUAL(ipc_recv(made.endpoint, reply).label, 1);
	settle();
	CHECK_EQUAL(made.helper->done, 0);
	ipc_send(reply, 8, WORDS());
	settle();
	CHECK_EQUAL(made.helper->message.label, 8);
	// Still pending.
	helper_start(made.helper, poll_once);
	settle();
	CHECK_EQUAL(made.helper->message.badge, 0x40);
}

static void wait_once(struct helper *helper) { helper->message = ipc_wait(helper->argument[0]); }

static void others_fault(void) {
	struct bound made = bound_make();
	struct helper *other = helper_make(PRIORITY_HELPER);
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
	struct message fault;

	helper_fault_handler_set(other, faults);
	other->argument[0] = made.notification;
	helper_start(other, wait_once);
	fault = ipc_recv(faults, object_new(OBJECT_REPLY, 0));
	CHECK_EQUAL(fault.label, FAULT_CAP);
	CHECK_EQUAL(fault.words[2], 1);
	CHECK_EQUAL(fault.words[3], LOOKUP_MISSING_CAPABILITY);
	made.helper->argument[0] = made.notification;
	helper_start(made.helper, wait_once);
	settle();
	ipc_signal(made.badged);
	settle();
	CHECK_EQUAL(made.helper->message.badge, 0x40);
}

static void unbound_again(void) {
	struct bound made = bound_make();

	helper_start(made.helper, receive_rounds);
	settle();
	CHECK_OK(invoke(made.helper->tcb, LABEL_TCB_UNBIND_NOTIFICATION, CAPS(), WORDS()));
	ipc_signal(made.badged);
	settle();
	CHECK_EQUAL(made.helper->count, 0);
	CHECK_EQUAL(ipc_nb_wait(made.notification).badge, 0x40);
}

static void deleted_notification(void) {
	struct bound made = bound_make();

	helper_start(made.helper, receive_rounds);
	settle();
	CHECK_OK(cap_delete(made.badged));
	CHECK_OK(cap_delete(made.notification));
	CHECK_ERROR(invoke(made.helper->tcb, LABEL_TCB_UNBIND_NOTIFICATION, CAPS(), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	ipc_send(made.endpoint, 2, WORDS());
	settle();
	CHECK_EQUAL(made.helper->count, 1);
}

static void deleted_thread(void) {
	struct bound made = bound_make();

	CHECK_OK(cap_delete(made.helper->tcb));
	ipc_signal(made.badged);
	CHECK_EQUAL(ipc_nb_wait(made.notification).badge, 0x40);
	CHECK_OK(invoke(object_new(OBJECT_TCB, 0), LABEL_TCB_BIND_NOTIFICATION,
		CAPS(made.notification), WORDS()));
}

static void wait_rounds(struct helper *helper) {
	for (;;) {
		helper->message = ipc_wait(helper->argument[0]);
		helper->count++;
	}
}

static void donates_context(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t donated = sched_context_make(
		(struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE});

	helper->argument[0] = notification;
	helper_start(helper, wait_rounds);
	settle();
	CHECK_OK(invoke(helper->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	ipc_signal(notification);
	settle();
	CHECK_EQUAL(helper->count, 0); // awake, but no context
	CHECK_OK(invoke(
		helper->sched_context, LABEL_SCHED_CONTEXT_BIND, CAPS(helper->tcb), WORDS()));
	settle();
	CHECK_EQUAL(helper->count, 1);
	CHECK_OK(invoke(helper->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	CHECK_OK(invoke(donated, LABEL_SCHED_CONTEXT_BIND, CAPS(notification), WORDS()));
	for (unsigned round = 2; round < 5; round++) {
		ipc_signal(notification);
		settle();
		CHECK_EQUAL(helper->count, round);
	}
	// Waiting again has given it back.
	CHECK_ERROR(invoke(donated, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(helper->tcb), WORDS()),
		ERROR_ILLEGAL_OPERATION);
}

static void hold_signal(struct helper *helper) {
	(void)ipc_wait(helper->argument[0]);
	helper->count++;
	(void)ipc_wait(helper->argument[1]);
	helper->count++;
	(void)ipc_wait(helper->argument[0]);
}

static void donated_is_in_use(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t donated = sched_context_make(
		(struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE});
	struct helper *helpers[2];

	for (unsigned index = 0; index < 2; index++) {
		helpers[index] = helper_make(PRIORITY_HELPER);
		helpers[index]->argument[0] = notification;
		helpers[index]->argument[1] = object_new(OBJECT_NOTIFICATION, 0);
		helper_start(helpers[index], hold_signal);
		settle();
		CHECK_OK(invoke(helpers[index]->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(),
			WORDS()));
	}
	CHECK_OK(invoke(donated, LABEL_SCHED_CONTEXT_BIND, CAPS(notification), WORDS()));
	ipc_signal(notification);
	ipc_signal(notification);
	settle();
	CHECK_EQUAL(helpers[0]->count, 1);
	CHECK_EQUAL(helpers[1]->count, 0); // woken without a context
	CHECK_OK(
		invoke(donated, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(helpers[0]->tcb), WORDS()));
	CHECK_OK(invoke(donated, LABEL_SCHED_CONTEXT_BIND, CAPS(helpers[1]->tcb), WORDS()));
	settle();
	CHECK_EQUAL(helpers[1]->count, 1);
}

static void bound_receive_rounds(struct helper *helper) {
	for (;;) {
		helper->message = ipc_recv(helper->argument[0], helper->argument[1]);
		helper->count++;
	}
}

static void returned_by_endpoint(void) {
	struct bound made = bound_make();
	uint64_t donated = sched_context_make(
		(struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE});

	CHECK_OK(invoke(donated, LABEL_SCHED_CONTEXT_BIND, CAPS(made.notification), WORDS()));
	helper_start(made.helper, bound_receive_rounds);
	settle();
	CHECK_OK(invoke(made.helper->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	for (unsigned round = 1; round < 4; round++) {
		ipc_signal(made.badged);
		settle();
		CHECK_EQUAL(made.helper->count, round);
	}
	// Receiving on the endpoint gave it back, so a plain Send leaves the thread without a
	// context.
	ipc_send(made.endpoint, 5, WORDS());
	settle();
	CHECK_EQUAL(made.helper->count, 3);
	CHECK_OK(invoke(donated, LABEL_SCHED_CONTEXT_BIND, CAPS(made.helper->tcb), WORDS()));
	settle();
	CHECK_EQUAL(made.helper->message.label, 5);
}

static const struct test tests[] = {
	{"bound-receive", "a bound thread receives signals while it waits on an endpoint",
		arrives_on_endpoint, NULL},
	{"bound-active", "a pending signal comes before the endpoint", active_before_endpoint,
		NULL},
	{"bound-poll", "NBRecv on an endpoint takes a pending bound signal", seen_by_polling, NULL},
	{"bound-calling", "a thread in a Call is not woken, the signal stays", not_while_calling,
		NULL},
	{"bound-others", "only the bound thread may wait on the notification", others_fault, NULL},
	{"bound-unbind", "after unbinding signals stay in the notification", unbound_again, NULL},
	{"bound-deleted", "deleting a bound notification unbinds it", deleted_notification, NULL},
	{"bound-thread-gone", "deleting a bound thread frees the notification", deleted_thread,
		NULL},
	{"bound-context", "a notification donates its scheduling context to the thread it wakes",
		donates_context, "SchedContextBind/0"},
	{"bound-in-use", "a context in use elsewhere is not donated twice", donated_is_in_use,
		NULL},
	{"bound-returned", "a bound thread gives the donated context back when it receives again",
		returned_by_endpoint, NULL},
};

TEST_FILE(bound);
