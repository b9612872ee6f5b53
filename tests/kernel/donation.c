// SPDX-License-Identifier: BSD-2-Clause
// Tests: passive servers: scheduling contexts that travel with calls and replies (IPC-11
// to IPC-19).
#include "world.h"

struct chain {
	uint64_t endpoint;
	struct helper *server;
	struct helper *client;
};

static void serve(struct helper *helper) {
	(void)ipc_nb_send_recv(
		helper->argument[2], helper->argument[0], helper->argument[1], WORDS());
	for (;;) {
		helper->count++;
		(void)ipc_reply_recv(
			helper->argument[0], helper->argument[1], WORDS(helper->count));
	}
}

static void call_once(struct helper *helper) {
	helper->message = ipc_call(helper->argument[0], 1, WORDS(1));
	helper->count++;
}

// A server that starts with its client's scheduling context and gives it away when it waits.
static struct helper *server_start(uint64_t priority, uint64_t endpoint) {
	struct helper *server = helper_make(priority);
	uint64_t ready = object_new(OBJECT_NOTIFICATION, 0);

	server->argument[0] = endpoint;
	server->argument[1] = object_new(OBJECT_REPLY, 0);
	server->argument[2] = ready;
	helper_start(server, serve);
	(void)ipc_wait(ready);
	settle();
	CHECK_OK(invoke(server->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	return server;
}

static struct helper *client_start(uint64_t priority, uint64_t endpoint) {
	struct helper *client = helper_make(priority);

	client->argument[0] = endpoint;
	helper_start(client, call_once);
	return client;
}

static void passive_server(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *server = server_start(110, endpoint);
	struct helper *client;

	for (unsigned round = 1; round <= 3; round++) {
		client = client_start(PRIORITY_HELPER, endpoint);
		settle();
		CHECK_EQUAL(client->done, 1);
		CHECK_EQUAL(client->message.words[0], round);
		CHECK_EQUAL(server->count, round);
	}
}

static void several_clients(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *server = server_start(90, endpoint);
	struct helper *clients[4];

	for (unsigned index = 0; index < 4; index++)
		clients[index] = client_start(PRIORITY_HELPER, endpoint);
	settle();
	for (unsigned index = 0; index < 4; index++)
		CHECK_EQUAL(clients[index]->done, 1);
	CHECK_EQUAL(server->count, 4);
}

static void relay(struct helper *helper) {
	(void)ipc_nb_send_recv(
		helper->argument[2], helper->argument[0], helper->argument[1], WORDS());
	for (;;) {
		struct message message = ipc_call(helper->argument[3], 0, WORDS());

		helper->count++;
		(void)ipc_reply_recv(
			helper->argument[0], helper->argument[1], WORDS(message.words[0] + 100));
	}
}

static struct helper *relay_start(uint64_t priority, uint64_t from, uint64_t to) {
	struct helper *helper = helper_make(priority);
	uint64_t ready = object_new(OBJECT_NOTIFICATION, 0);

	helper->argument[0] = from;
	helper->argument[1] = object_new(OBJECT_REPLY, 0);
	helper->argument[2] = ready;
	helper->argument[3] = to;
	helper_start(helper, relay);
	(void)ipc_wait(ready);
	settle();
	CHECK_OK(invoke(helper->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	return helper;
}

static void chain_of_three(void) {
	uint64_t first = object_new(OBJECT_ENDPOINT, 0);
	uint64_t second = object_new(OBJECT_ENDPOINT, 0);
	uint64_t third = object_new(OBJECT_ENDPOINT, 0);
	struct helper *client;

	(void)server_start(110, third);
	(void)relay_start(111, second, third);
	(void)relay_start(112, first, second);
	for (unsigned round = 1; round <= 2; round++) {
		client = client_start(PRIORITY_HELPER, first);
		settle();
		CHECK_EQUAL(client->done, 1);
		CHECK_EQUAL(client->message.words[0], 200 + round);
	}
}

static void hold(struct helper *helper) {
	(void)ipc_nb_send_recv(
		helper->argument[2], helper->argument[0], helper->argument[1], WORDS());
	helper->count++;
	(void)ipc_wait(helper->argument[3]);
	helper->count++;
	ipc_send(helper->argument[1], 55, WORDS());
	helper->count++;
	for (;;)
		(void)ipc_wait(helper->argument[3]);
}

// A passive server that stops between receive and reply until argument 3 is signalled.
static struct helper *holder_start(uint64_t endpoint) {
	struct helper *helper = helper_make(110);
	uint64_t ready = object_new(OBJECT_NOTIFICATION, 0);

	helper->argument[0] = endpoint;
	helper->argument[1] = object_new(OBJECT_REPLY, 0);
	helper->argument[2] = ready;
	helper->argument[3] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(helper, hold);
	(void)ipc_wait(ready);
	settle();
	CHECK_OK(invoke(helper->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	return helper;
}

static void holder_is_server(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *server = holder_start(endpoint);
	struct helper *client = client_start(PRIORITY_HELPER, endpoint);

	settle();
	CHECK_EQUAL(server->count, 1);
	// The client's scheduling context is with the server now.
	CHECK_ERROR(invoke(client->sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT,
			    CAPS(client->tcb), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	ipc_signal(server->argument[3]);
	settle();
	CHECK_EQUAL(client->message.label, 55);
	CHECK_EQUAL(server->count, 2);
	CHECK_OK(invoke(client->sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(client->tcb),
		WORDS()));
}

static void stranger_replies(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *server = holder_start(endpoint);
	struct helper *client = client_start(PRIORITY_HELPER, endpoint);

	settle();
	ipc_send(server->argument[1], 66, WORDS());
	settle();
	CHECK_EQUAL(client->done, 1);
	CHECK_EQUAL(client->message.label, 66);
	// The server lost the context it ran on.
	ipc_signal(server->argument[3]);
	settle();
	CHECK_EQUAL(server->count, 1);
}

static void reply_deleted(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *server = holder_start(endpoint);
	struct helper *client = client_start(PRIORITY_HELPER, endpoint);

	settle();
	CHECK_OK(cap_delete(server->argument[1]));
	// The context went back to the caller, which is inactive.
	CHECK_OK(invoke(client->sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(client->tcb),
		WORDS()));
	CHECK_EQUAL(client->done, 0);
}

static void caller_suspended(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *server = holder_start(endpoint);
	struct helper *client = client_start(PRIORITY_HELPER, endpoint);

	settle();
	CHECK_OK(invoke(client->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
	ipc_signal(server->argument[3]);
	settle();
	// It stayed with the server, whose reply had no receiver, and which continued.
	CHECK_EQUAL(server->count, 3);
	CHECK_OK(invoke(client->sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(server->tcb),
		WORDS()));
}

static void caller_rebound(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *server = holder_start(endpoint);
	struct helper *client = client_start(PRIORITY_HELPER, endpoint);
	uint64_t other = sched_context_make(
		(struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE});

	settle();
	CHECK_OK(invoke(other, LABEL_SCHED_CONTEXT_BIND, CAPS(client->tcb), WORDS()));
	ipc_signal(server->argument[3]);
	settle();
	CHECK_EQUAL(client->message.label, 55);
	CHECK_EQUAL(client->done, 1);
	CHECK_EQUAL(server->count, 3); // keeps the donated context
}

static void sched_context_deleted(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *server = holder_start(endpoint);
	struct helper *client = client_start(PRIORITY_HELPER, endpoint);
	uint64_t other;

	settle();
	CHECK_OK(cap_delete(client->sched_context));
	ipc_signal(server->argument[3]);
	settle();
	CHECK_EQUAL(server->count, 1);
	other = sched_context_make(
		(struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE});
	CHECK_OK(invoke(other, LABEL_SCHED_CONTEXT_BIND, CAPS(server->tcb), WORDS()));
	settle();
	CHECK_EQUAL(server->count, 3);
	// The reply arrived; the client runs as soon as it can.
	CHECK_EQUAL(client->done, 0);
	CHECK_OK(invoke(other, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	CHECK_OK(invoke(other, LABEL_SCHED_CONTEXT_BIND, CAPS(client->tcb), WORDS()));
	settle();
	CHECK_EQUAL(client->message.label, 55);
}

static void send_does_not_donate(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = helper_make(PRIORITY_MAIN + 1);

	helper->argument[0] = endpoint;
	helper->argument[1] = object_new(OBJECT_REPLY, 0);
	helper_start(helper, helper_receive);
	CHECK_OK(invoke(helper->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	ipc_send(endpoint, 3, WORDS());
	CHECK_EQUAL(helper->count, 0);
	CHECK_OK(invoke(
		helper->sched_context, LABEL_SCHED_CONTEXT_BIND, CAPS(helper->tcb), WORDS()));
	CHECK_EQUAL(helper->count, 1);
	CHECK_EQUAL(helper->message.label, 3);
}

static void own_context_stays(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *client = client_start(PRIORITY_HELPER, endpoint);
	uint64_t reply = object_new(OBJECT_REPLY, 0);

	// This thread has its own context: the caller keeps its own.
	(void)ipc_recv(endpoint, reply);
	CHECK_OK(invoke(client->sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(client->tcb),
		WORDS()));
	ipc_send(reply, 1, WORDS());
	settle();
	CHECK_EQUAL(client->done, 0);
}

static const struct test tests[] = {
	{"donation-passive", "a passive server runs on its callers' time", passive_server, NULL},
	{"donation-clients", "queued callers are served one after the other", several_clients,
		NULL},
	{"donation-chain", "a context travels down a chain of calls and back", chain_of_three,
		NULL},
	{"donation-holder", "during a call the context belongs to the server", holder_is_server,
		NULL},
	{"donation-stranger", "a reply by another thread takes the context from the server",
		stranger_replies, NULL},
	{"donation-reply-gone", "deleting the head Reply gives the context back to the caller",
		reply_deleted, NULL},
	{"donation-suspended", "the context stays with the server when the caller is suspended",
		caller_suspended, NULL},
	{"donation-rebound", "a caller with a new context leaves the old one to the server",
		caller_rebound, NULL},
	{"donation-sc-gone", "without the context the reply still delivers its message",
		sched_context_deleted, NULL},
	{"donation-send", "Send does not donate", send_does_not_donate, NULL},
	{"donation-own", "a receiver with its own context takes none", own_context_stays, NULL},
};

TEST_FILE(donation);
