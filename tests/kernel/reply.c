// SPDX-License-Identifier: BSD-2-Clause
// Tests: Reply objects and the combined calls (IPC-7 to IPC-10, SYS-4 to SYS-10).
#include "world.h"

static void call_once(struct helper *helper) {
	helper->message = ipc_call(
		helper->argument[0], helper->argument[1], WORDS(helper->argument[1]));
}

static struct helper *caller_start(uint64_t endpoint, uint64_t number) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper->argument[0] = endpoint;
	helper->argument[1] = number;
	helper_start(helper, call_once);
	return helper;
}

static void idle_reply(void) {
	uint64_t reply = object_new(OBJECT_REPLY, 0);

	CHECK_ERROR(ipc_call(reply, 3, WORDS(1, 2)), ERROR_NONE);
	ipc_send(reply, 0, WORDS());
	ipc_nb_send(reply, 0, WORDS());
}

static void reused(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);

	for (uint64_t round = 0; round < 5; round++) {
		struct helper *helper = caller_start(endpoint, round);

		CHECK_EQUAL(ipc_recv(endpoint, reply).label, round);
		ipc_send(reply, round + 10, WORDS());
		settle();
		CHECK_EQUAL(helper->message.label, round + 10);
	}
}

static void copied_cap_replies(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct helper *helper = caller_start(endpoint, 1);

	(void)ipc_recv(endpoint, reply);
	ipc_send(cap_copy(reply), 5, WORDS());
	settle();
	CHECK_EQUAL(helper->message.label, 5);
	ipc_send(reply, 6, WORDS());
	settle();
	CHECK_EQUAL(helper->message.label, 5);
}

static void out_of_order(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helpers[3];
	uint64_t replies[3];

	for (unsigned index = 0; index < 3; index++) {
		replies[index] = object_new(OBJECT_REPLY, 0);
		helpers[index] = caller_start(endpoint, index);
		(void)ipc_recv(endpoint, replies[index]);
	}
	ipc_send(replies[1], 101, WORDS());
	ipc_send(replies[0], 100, WORDS());
	ipc_send(replies[2], 102, WORDS());
	settle();
	for (unsigned index = 0; index < 3; index++)
		CHECK_EQUAL(helpers[index]->message.label, 100 + index);
}

static void busy_reply_cancels(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct helper *first = caller_start(endpoint, 1);
	struct helper *second;

	CHECK_EQUAL(ipc_recv(endpoint, reply).label, 1);
	second = caller_start(endpoint, 2);
	CHECK_EQUAL(ipc_recv(endpoint, reply).label, 2);
	ipc_send(reply, 9, WORDS());
	settle();
	CHECK_EQUAL(second->message.label, 9);
	CHECK_EQUAL(first->done, 0);
	// The first caller is inactive, and calls again when resumed.
	CHECK_OK(invoke(first->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	CHECK_EQUAL(ipc_recv(endpoint, reply).label, 1);
}

static void deleted_reply(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct helper *helper = caller_start(endpoint, 1);

	(void)ipc_recv(endpoint, reply);
	CHECK_OK(cap_delete(reply));
	settle();
	CHECK_EQUAL(helper->done, 0);
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	CHECK_EQUAL(ipc_recv(endpoint, object_new(OBJECT_REPLY, 0)).label, 1);
}

static void deleted_while_receiving(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	helper->argument[0] = endpoint;
	helper->argument[1] = object_new(OBJECT_REPLY, 0);
	helper_start(helper, helper_receive);
	settle();
	CHECK_OK(cap_delete(helper->argument[1]));
	// The receiver has left the queue.
	ipc_nb_send(endpoint, 7, WORDS());
	settle();
	CHECK_EQUAL(helper->done, 0);
}

static void suspended_caller(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct helper *helper = caller_start(endpoint, 1);

	(void)ipc_recv(endpoint, reply);
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
	ipc_send(reply, 5, WORDS());
	settle();
	CHECK_EQUAL(helper->done, 0);
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	CHECK_EQUAL(ipc_recv(endpoint, reply).label, 1);
	ipc_send(reply, 6, WORDS());
	settle();
	CHECK_EQUAL(helper->message.label, 6);
}

static void deleted_caller(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct helper *helper = caller_start(endpoint, 1);

	(void)ipc_recv(endpoint, reply);
	CHECK_OK(cap_delete(helper->tcb));
	ipc_send(reply, 5, WORDS());
	helper = caller_start(endpoint, 2);
	CHECK_EQUAL(ipc_recv(endpoint, reply).label, 2);
	ipc_send(reply, 6, WORDS());
	settle();
	CHECK_EQUAL(helper->message.label, 6);
}

static void reply_recv(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct helper *first = caller_start(endpoint, 1);
	struct helper *second;
	struct message message;

	settle();
	second = caller_start(endpoint, 2);
	message = ipc_recv(endpoint, reply);
	CHECK_EQUAL(message.label, 1);
	message = ipc_reply_recv(endpoint, reply, WORDS(11, 12));
	CHECK_EQUAL(message.label, 2);
	settle();
	CHECK_EQUAL(first->message.length, 2);
	CHECK_EQUAL(first->message.words[1], 12);
	CHECK_EQUAL(second->done, 0);
}

static void nb_send_recv(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t badged = cap_mint(notification, RIGHTS_ALL, 0x20);

	(void)caller_start(endpoint, 4);
	CHECK_EQUAL(
		ipc_nb_send_recv(badged, endpoint, object_new(OBJECT_REPLY, 0), WORDS()).label, 4);
	CHECK_EQUAL(ipc_nb_wait(notification).badge, 0x20);
}

static void nb_send_wait(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t badged = cap_mint(notification, RIGHTS_ALL, 0x21);

	// Sends to itself first, then receives that.
	CHECK_EQUAL(ipc_nb_send_wait(badged, notification, WORDS()).badge, 0x21);
}

static void first_phase_silent(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t badged = cap_mint(notification, RIGHTS_ALL, 0x22);
	uint64_t tcb = object_new(OBJECT_TCB, 0);

	ipc_signal(badged);
	CHECK_EQUAL(ipc_nb_send_wait(1ul << 40, notification, WORDS()).badge, 0x22);
	ipc_signal(badged);
	CHECK_EQUAL(ipc_nb_send_wait(slot_take(), notification, WORDS()).badge, 0x22);
	ipc_signal(badged);
	CHECK_EQUAL(ipc_nb_send_wait(tcb, notification, WORDS(1)).badge, 0x22);
}

static void first_phase_refuses(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct call_registers registers = {.rdi = notification,
		.rsi = tag_make(LABEL_CNODE_DELETE, 0, 0, 2),
		.r10 = endpoint,
		.r8 = DEPTH,
		.r12 = ROOT_SLOT_CNODE};

	ipc_signal(cap_mint(notification, RIGHTS_ALL, 1));
	system_call(SYSCALL_NB_SEND_WAIT, &registers);
	CHECK_EQUAL(registers.rdi, 1);
	CHECK_EQUAL(cap_kind(endpoint), KIND_ENDPOINT);
}

static void recv_needs_reply(void) {
	helper_receive_faults(object_new(OBJECT_ENDPOINT, 0), ROOT_SLOT_TCB);
}

static const struct test tests[] = {
	{"reply-idle", "invoking an idle Reply succeeds and does nothing", idle_reply, NULL},
	{"reply-reuse", "a Reply is free again once it was used", reused, NULL},
	{"reply-copy", "any copy of the capability replies, once", copied_cap_replies, NULL},
	{"reply-order", "replies may be given in any order", out_of_order, NULL},
	{"reply-busy", "receiving with a Reply in use makes its caller inactive",
		busy_reply_cancels, NULL},
	{"reply-deleted", "deleting the Reply makes its caller inactive", deleted_reply, NULL},
	{"reply-deleted-receiver", "deleting a receiver's Reply cancels the receive",
		deleted_while_receiving, NULL},
	{"reply-suspended", "suspending a caller frees its Reply", suspended_caller, NULL},
	{"reply-caller-gone", "deleting a caller frees its Reply", deleted_caller, NULL},
	{"reply-recv", "ReplyRecv answers and receives the next message", reply_recv, NULL},
	{"reply-nb-send-recv", "NBSendRecv sends and receives", nb_send_recv, NULL},
	{"reply-nb-send-wait", "NBSendWait sends before it waits", nb_send_wait, NULL},
	{"reply-phase-silent", "errors of a first phase are dropped", first_phase_silent, NULL},
	{"reply-phase-refuses", "a first phase does not invoke a CNode", first_phase_refuses, NULL},
	{"reply-needed", "Recv on an endpoint faults without a Reply", recv_needs_reply, NULL},
};

TEST_FILE(reply);
