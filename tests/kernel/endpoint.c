// SPDX-License-Identifier: BSD-2-Clause
// Tests: endpoints: queues, order, rights, blocking and polling (IPC-1 to IPC-5).
#include "world.h"

static uint64_t order[8]; // by the threads of one test, in the order they ran
static volatile unsigned order_count;

static void order_note(uint64_t value) { order[order_count++] = value; }

static void send_number(struct helper *helper) {
	ipc_send(helper->argument[0], helper->argument[1], WORDS(helper->argument[1]));
	helper->count++;
}

static void call_number(struct helper *helper) {
	helper->message = ipc_call(
		helper->argument[0], helper->argument[1], WORDS(helper->argument[1]));
	helper->count++;
}

static void receive_note(struct helper *helper) {
	helper->message = ipc_recv(helper->argument[0], helper->argument[2]);
	order_note(helper->argument[1]);
}

static struct helper *helper_run(
	uint64_t priority, void (*run)(struct helper *), uint64_t endpoint, uint64_t number) {
	struct helper *helper = helper_make(priority);

	helper->argument[0] = endpoint;
	helper->argument[1] = number;
	helper->argument[2] = object_new(OBJECT_REPLY, 0);
	helper_start(helper, run);
	settle();
	return helper;
}

static void send_blocks(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = helper_run(PRIORITY_HELPER, send_number, endpoint, 5);

	CHECK_EQUAL(helper->count, 0);
	CHECK_EQUAL(ipc_wait(endpoint).words[0], 5);
	settle();
	CHECK_EQUAL(helper->count, 1);
}

static void senders_by_priority(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	(void)helper_run(50, send_number, endpoint, 1);
	(void)helper_run(70, send_number, endpoint, 2);
	(void)helper_run(60, send_number, endpoint, 3);
	(void)helper_run(70, send_number, endpoint, 4);
	CHECK_EQUAL(ipc_wait(endpoint).label, 2);
	CHECK_EQUAL(ipc_wait(endpoint).label, 4);
	CHECK_EQUAL(ipc_wait(endpoint).label, 3);
	CHECK_EQUAL(ipc_wait(endpoint).label, 1);
}

static void senders_first_come(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	for (uint64_t number = 1; number <= 5; number++)
		(void)helper_run(PRIORITY_HELPER, send_number, endpoint, number);
	for (uint64_t number = 1; number <= 5; number++)
		CHECK_EQUAL(ipc_wait(endpoint).label, number);
}

static void receivers_by_priority(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	order_count = 0;
	(void)helper_run(50, receive_note, endpoint, 1);
	(void)helper_run(70, receive_note, endpoint, 2);
	(void)helper_run(60, receive_note, endpoint, 3);
	for (unsigned count = 0; count < 3; count++) {
		ipc_send(endpoint, 0, WORDS());
		settle();
	}
	CHECK_EQUAL(order_count, 3);
	CHECK_EQUAL(order[0], 2);
	CHECK_EQUAL(order[1], 3);
	CHECK_EQUAL(order[2], 1);
}

static void queued_priority_change(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *first = helper_run(50, send_number, endpoint, 1);
	struct helper *second = helper_run(60, send_number, endpoint, 2);

	CHECK_OK(invoke(first->tcb, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB), WORDS(70)));
	CHECK_EQUAL(ipc_wait(endpoint).label, 1);
	CHECK_EQUAL(ipc_wait(endpoint).label, 2);
	CHECK_EQUAL(second->done, 0);
}

static void queued_priority_equal(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *first = helper_run(50, send_number, endpoint, 1);

	(void)helper_run(60, send_number, endpoint, 2);
	CHECK_OK(invoke(first->tcb, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB), WORDS(60)));
	CHECK_EQUAL(ipc_wait(endpoint).label, 2);
	CHECK_EQUAL(ipc_wait(endpoint).label, 1);
}

static void nb_send_drops(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper;

	ipc_nb_send(endpoint, 9, WORDS(9));
	helper = helper_run(PRIORITY_HELPER, receive_note, endpoint, 1);
	CHECK_EQUAL(helper->done, 0);
	ipc_nb_send(endpoint, 7, WORDS(7));
	settle();
	CHECK_EQUAL(helper->message.label, 7);
}

static void nb_recv_empty(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct call_registers registers = {.rdi = endpoint,
		.rsi = 0x7777,
		.r10 = 1,
		.r8 = 2,
		.r9 = 3,
		.r15 = 4,
		.r12 = object_new(OBJECT_REPLY, 0)};

	system_call(SYSCALL_NB_RECV, &registers);
	CHECK_EQUAL(registers.rdi, 0);
	CHECK_EQUAL(registers.rsi, 0x7777);
	CHECK_EQUAL(registers.r10, 1);
	CHECK_EQUAL(registers.r15, 4);
	CHECK_EQUAL(ipc_nb_wait(endpoint).badge, 0);
}

static void nb_recv_sender(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	(void)helper_run(PRIORITY_HELPER, send_number, cap_mint(endpoint, RIGHTS_ALL, 0x61), 3);
	CHECK_EQUAL(ipc_nb_recv(endpoint, object_new(OBJECT_REPLY, 0)).badge, 0x61);
}

static void write_right(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reader = cap_copy_rights(endpoint, RIGHT_READ | RIGHT_GRANT);

	CHECK_ERROR(ipc_call(reader, 3, WORDS(1)), ERROR_INVALID_CAPABILITY, 0);
	ipc_send(reader, 3, WORDS(1));
	CHECK_EQUAL(ipc_nb_wait(endpoint).badge, 0);
}

static void call_reply(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct helper *helper = helper_run(
		PRIORITY_HELPER, call_number, cap_mint(endpoint, RIGHTS_ALL, 0x99), 8);
	struct message message = ipc_recv(endpoint, reply);

	CHECK_EQUAL(message.badge, 0x99);
	CHECK_EQUAL(message.label, 8);
	ipc_send(reply, 77, WORDS(1, 2, 3, 4, 5));
	settle();
	CHECK_EQUAL(helper->done, 1);
	CHECK_EQUAL(helper->message.badge, 0);
	CHECK_EQUAL(helper->message.label, 77);
	CHECK_EQUAL(helper->message.length, 5);
	CHECK_EQUAL(helper->message.words[4], 5);
}

static void call_without_grant(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct helper *helper = helper_run(
		PRIORITY_HELPER, call_number, cap_copy_rights(endpoint, RIGHT_WRITE), 4);

	CHECK_EQUAL(ipc_recv(endpoint, reply).label, 4);
	ipc_send(reply, 0, WORDS());
	settle();
	CHECK_EQUAL(helper->done, 0);
	// The caller is inactive: resumed, it calls again.
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	CHECK_EQUAL(ipc_recv(endpoint, reply).label, 4);
}

static void call_grant_reply(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct helper *helper = helper_run(PRIORITY_HELPER, call_number,
		cap_copy_rights(endpoint, RIGHT_WRITE | RIGHT_GRANT_REPLY), 4);

	(void)ipc_recv(endpoint, reply);
	ipc_send(reply, 0, WORDS());
	settle();
	CHECK_EQUAL(helper->done, 1);
}

static void call_to_wait(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = helper_run(PRIORITY_HELPER, call_number, endpoint, 4);

	CHECK_EQUAL(ipc_wait(endpoint).label, 4);
	settle();
	CHECK_EQUAL(helper->done, 0);
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	CHECK_EQUAL(ipc_wait(endpoint).label, 4);
}

static void woken_higher_first(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = helper_run(PRIORITY_MAIN + 2, receive_note, endpoint, 1);

	order_count = 0;
	ipc_send(endpoint, 0, WORDS());
	CHECK_EQUAL(helper->done, 1); // before this thread came back
}

static void woken_equal_later(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = helper_run(PRIORITY_MAIN, receive_note, endpoint, 1);

	thread_yield();
	ipc_send(endpoint, 0, WORDS());
	CHECK_EQUAL(helper->done, 0);
	thread_yield();
	CHECK_EQUAL(helper->done, 1);
}

static const struct test tests[] = {
	{"endpoint-send", "Send blocks until a thread receives", send_blocks, NULL},
	{"endpoint-priority", "senders are served by priority, then in order", senders_by_priority,
		NULL},
	{"endpoint-order", "senders of one priority are served first come, first served",
		senders_first_come, NULL},
	{"endpoint-receivers", "receivers are served by priority", receivers_by_priority, NULL},
	{"endpoint-requeue", "a queued sender whose priority is raised moves up",
		queued_priority_change, NULL},
	{"endpoint-requeue-equal", "a queued sender raised to a level goes after its equals",
		queued_priority_equal, NULL},
	{"endpoint-nb-send", "NBSend without receiver is lost, with one it arrives", nb_send_drops,
		NULL},
	{"endpoint-nb-recv", "NBRecv without a sender gives badge 0 and changes nothing else",
		nb_recv_empty, NULL},
	{"endpoint-nb-take", "NBRecv takes the message of a waiting sender", nb_recv_sender, NULL},
	{"endpoint-write", "without Write a Call is refused and a Send does nothing", write_right,
		NULL},
	{"endpoint-call", "a Call gets the reply's words and badge 0", call_reply, NULL},
	{"endpoint-no-grant", "a caller without a grant right becomes inactive", call_without_grant,
		NULL},
	{"endpoint-grant-reply", "GrantReply suffices to be answered", call_grant_reply, NULL},
	{"endpoint-call-wait", "a caller received by Wait becomes inactive", call_to_wait, NULL},
	{"endpoint-higher", "a woken receiver of higher priority runs at once", woken_higher_first,
		NULL},
	{"endpoint-equal", "a woken receiver of equal priority runs later", woken_equal_later,
		NULL},
};

TEST_FILE(endpoint);
