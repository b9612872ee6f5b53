// SPDX-License-Identifier: BSD-2-Clause
// Tests: donation in combined calls, in broken call chains and when a receiver receives again
// (IPC-9 to IPC-19, SYS-7).
#include "world.h"

static void receive_rounds(struct helper *helper) {
	for (;;) {
		helper->message = ipc_recv(helper->argument[0], helper->argument[1]);
		helper->count++;
	}
}

static void send_then_wait(struct helper *helper) {
	(void)ipc_nb_send_wait(helper->argument[0], helper->argument[1], WORDS(5));
	helper->count++;
}

// A receiver on an endpoint that has no scheduling context of its own.
static struct helper *passive_receiver(uint64_t endpoint, uint64_t priority) {
	struct helper *helper = helper_make(priority);

	helper->argument[0] = endpoint;
	helper->argument[1] = object_new(OBJECT_REPLY, 0);
	helper_start(helper, receive_rounds);
	settle();
	CHECK_OK(invoke(helper->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	return helper;
}

static int is_holder(uint64_t sched_context, const struct helper *helper) {
	return invoke(sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(helper->tcb), WORDS())
		       .label == ERROR_NONE;
}

static void first_phase_donates(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *receiver = passive_receiver(endpoint, PRIORITY_HELPER);
	struct helper *sender = helper_make(PRIORITY_HELPER);

	sender->argument[0] = endpoint;
	sender->argument[1] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(sender, send_then_wait);
	settle();
	CHECK_EQUAL(receiver->count, 1);
	CHECK_EQUAL(receiver->message.words[0], 5);
	// The sender waits without a context; a signal wakes it but it does not run.
	ipc_signal(sender->argument[1]);
	settle();
	CHECK_EQUAL(sender->count, 0);
	CHECK(is_holder(sender->sched_context, receiver));
}

static void first_phase_keeps(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *sender = helper_make(PRIORITY_HELPER);

	// No receiver waits: nothing is sent, nothing is donated.
	sender->argument[0] = endpoint;
	sender->argument[1] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(sender, send_then_wait);
	settle();
	ipc_signal(sender->argument[1]);
	settle();
	CHECK_EQUAL(sender->count, 1);
}

static void call_once(struct helper *helper) {
	helper->message = ipc_call(helper->argument[0], helper->argument[1], WORDS());
	helper->count++;
}

static struct helper *caller_start(uint64_t endpoint, uint64_t number) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper->argument[0] = endpoint;
	helper->argument[1] = number;
	helper_start(helper, call_once);
	settle();
	return helper;
}

static void received_again(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *receiver = passive_receiver(endpoint, PRIORITY_HELPER + 1);
	struct helper *first = caller_start(endpoint, 1);
	struct helper *second;

	// The receiver received again with the Reply in use: the first caller is inactive, and its
	// context stays with the receiver.
	CHECK_EQUAL(receiver->count, 1);
	CHECK_EQUAL(first->count, 0);
	CHECK(is_holder(first->sched_context, receiver));
	second = caller_start(endpoint, 2);
	CHECK_EQUAL(receiver->count, 2);
	CHECK_EQUAL(receiver->message.label, 2);
	CHECK_EQUAL(second->count, 0);
}

static void relay_call(struct helper *helper) {
	(void)ipc_recv(helper->argument[0], helper->argument[1]);
	helper->count++;
	helper->message = ipc_call(helper->argument[2], 7, WORDS());
	helper->count++;
	ipc_send(helper->argument[1], 9, WORDS());
	helper->count++;
	(void)ipc_wait(helper->argument[3]);
}

struct chain {
	struct helper *client;
	struct helper *middle;
	struct helper *last;
	uint64_t reply; // of the call from middle to last
};

static void receive_and_stop(struct helper *helper) {
	(void)ipc_recv(helper->argument[0], helper->argument[1]);
	helper->count++;
	(void)ipc_wait(helper->argument[2]);
	helper->count++;
	ipc_send(helper->argument[1], 8, WORDS());
	helper->count++;
	(void)ipc_wait(helper->argument[2]);
}

// A client that called a passive middle that called a passive last, which waits on argument 2.
static struct chain chain_make(void) {
	struct chain chain = {.middle = helper_make(110), .last = helper_make(111)};
	uint64_t outer = object_new(OBJECT_ENDPOINT, 0);
	uint64_t inner = object_new(OBJECT_ENDPOINT, 0);

	chain.middle->argument[0] = outer;
	chain.middle->argument[1] = object_new(OBJECT_REPLY, 0);
	chain.middle->argument[2] = inner;
	chain.middle->argument[3] = object_new(OBJECT_NOTIFICATION, 0);
	chain.last->argument[0] = inner;
	chain.reply = object_new(OBJECT_REPLY, 0);
	chain.last->argument[1] = chain.reply;
	chain.last->argument[2] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(chain.middle, relay_call);
	helper_start(chain.last, receive_and_stop);
	settle();
	CHECK_OK(invoke(chain.middle->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	CHECK_OK(invoke(chain.last->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	chain.client = caller_start(outer, 1);
	CHECK_EQUAL(chain.middle->count, 1);
	CHECK_EQUAL(chain.last->count, 1);
	return chain;
}

static void chain_unwinds(void) {
	struct chain chain = chain_make();

	ipc_signal(chain.last->argument[2]);
	settle();
	CHECK_EQUAL(chain.last->count, 2);
	CHECK_EQUAL(chain.middle->count, 2);
	CHECK_EQUAL(chain.middle->message.label, 8);
	CHECK_EQUAL(chain.client->count, 1);
	CHECK_EQUAL(chain.client->message.label, 9);
}

static void middle_reply_first(void) {
	struct chain chain = chain_make();

	// Answering the client while its context is two calls deep cuts the chain there.
	ipc_send(chain.middle->argument[1], 4, WORDS());
	settle();
	CHECK_EQUAL(chain.client->count, 0);
	ipc_signal(chain.last->argument[2]);
	settle();
	CHECK_EQUAL(chain.middle->count, 3);
	CHECK_EQUAL(chain.client->count, 0);
	CHECK(is_holder(chain.client->sched_context, chain.middle));
	CHECK_OK(invoke(chain.client->sched_context, LABEL_SCHED_CONTEXT_BIND,
		CAPS(chain.client->tcb), WORDS()));
	settle();
	CHECK_EQUAL(chain.client->message.label, 4);
}

static void head_reply_deleted(void) {
	struct chain chain = chain_make();

	// The context goes back to the middle, which became inactive.
	CHECK_OK(cap_delete(chain.reply));
	settle();
	CHECK_EQUAL(chain.middle->count, 1);
	CHECK(is_holder(chain.client->sched_context, chain.middle));
}

static void middle_deleted(void) {
	struct chain chain = chain_make();

	CHECK_OK(cap_delete(chain.middle->tcb));
	ipc_signal(chain.last->argument[2]);
	settle();
	// The last one keeps the context: the thread it should return to is gone.
	CHECK_EQUAL(chain.last->count, 3);
	CHECK_EQUAL(chain.client->count, 0);
	CHECK(is_holder(chain.client->sched_context, chain.last));
}

static void client_deleted(void) {
	struct chain chain = chain_make();

	CHECK_OK(cap_delete(chain.client->tcb));
	ipc_signal(chain.last->argument[2]);
	settle();
	CHECK_EQUAL(chain.middle->count, 3);
	CHECK(is_holder(chain.client->sched_context, chain.middle));
}

static void unbound_cuts(void) {
	struct chain chain = chain_make();

	CHECK_OK(invoke(chain.client->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	ipc_signal(chain.last->argument[2]);
	settle();
	CHECK_EQUAL(chain.last->count, 1);
	CHECK_OK(invoke(chain.client->sched_context, LABEL_SCHED_CONTEXT_BIND,
		CAPS(chain.last->tcb), WORDS()));
	settle();
	// The replies are given, the context stays where it was bound.
	CHECK_EQUAL(chain.last->count, 3);
	CHECK(is_holder(chain.client->sched_context, chain.last));
}

static void spin_after_call(struct helper *helper) {
	helper->message = ipc_call(helper->argument[0], 1, WORDS());
	for (;;)
		helper->count++;
}

static void spend_and_reply(struct helper *helper) {
	(void)ipc_recv(helper->argument[0], helper->argument[1]);
	spin_microseconds(helper->argument[3]);
	ipc_send(helper->argument[1], 0, WORDS());
	(void)ipc_wait(helper->argument[2]);
}

static void reply_without_budget(void) {
	struct helper *server = helper_make(110);
	struct helper *client = helper_make_with(PRIORITY_HELPER,
		(struct sched_setting){.budget = 1000, .period = 10000000, .badge = 0x44});
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
	struct message fault;

	// The server, with a context of its own, answers when the client's has no budget left.
	server->argument[0] = object_new(OBJECT_ENDPOINT, 0);
	server->argument[1] = object_new(OBJECT_REPLY, 0);
	server->argument[2] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(server, spend_and_reply);
	settle();
	client->argument[0] = server->argument[0];
	helper_timeout_handler_set(client, faults);
	helper_start(client, spin_after_call);
	fault = ipc_recv(faults, object_new(OBJECT_REPLY, 0));
	CHECK_EQUAL(fault.label, FAULT_TIMEOUT);
	CHECK_EQUAL(fault.words[0], 0x44);
}

static void receiver_restarted(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	// The same thread receives with the same Reply again.
	helper->argument[0] = endpoint;
	helper->argument[1] = object_new(OBJECT_REPLY, 0);
	helper_start(helper, receive_rounds);
	settle();
	for (unsigned round = 0; round < 3; round++) {
		CHECK_OK(invoke(helper->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
		settle();
	}
	ipc_nb_send(endpoint, 6, WORDS());
	settle();
	CHECK_EQUAL(helper->count, 1);
	CHECK_EQUAL(helper->message.label, 6);
}

static const struct test tests[] = {
	{"chain-first-phase", "a first phase donates the sender's context to a passive receiver",
		first_phase_donates, NULL},
	{"chain-no-receiver", "a first phase without receiver donates nothing", first_phase_keeps,
		NULL},
	{"chain-reply-in-use",
		"receiving with a Reply in use makes its caller inactive, whose context stays",
		received_again, NULL},
	{"chain-unwind", "a chain of two calls unwinds in order", chain_unwinds, NULL},
	{"chain-middle", "a reply out of order cuts the chain", middle_reply_first, NULL},
	{"chain-head", "deleting the head Reply returns the context one step", head_reply_deleted,
		NULL},
	{"chain-middle-gone", "deleting the middle caller leaves the context with the last server",
		middle_deleted, NULL},
	{"chain-client-gone", "deleting the client leaves the context where the chain ends",
		client_deleted, NULL},
	{"chain-unbind", "unbinding a donated context cuts its chain", unbound_cuts, NULL},
	{"chain-no-budget",
		"a timeout handler is sent the fault of a budget that ends during a call",
		reply_without_budget, NULL},
	{"chain-resume", "a resumed receiver receives with the same Reply", receiver_restarted,
		NULL},
};

TEST_FILE(donation_chains);
