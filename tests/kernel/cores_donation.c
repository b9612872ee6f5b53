// SPDX-License-Identifier: BSD-2-Clause
// Tests: contexts that travel with calls take the server to the caller's core.
#include "cores.h"

enum { ROUNDS = 100, PASSIVE = 110 };

// A server that gives its context away when it waits.
static struct helper *passive_start(
	void (*run)(struct helper *), uint64_t endpoint, uint64_t next) {
	struct helper *server = helper_make(PASSIVE);

	server->argument[0] = endpoint;
	server->argument[1] = object_new(OBJECT_REPLY, 0);
	server->argument[2] = next;
	helper_start(server, run);
	settle();
	CHECK_OK(invoke(server->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	return server;
}

// The answer's second word is where the server ran.
static void call_many(struct helper *helper) {
	for (uint64_t round = 0; round < helper->argument[2]; round++) {
		struct message answer = ipc_call(helper->argument[0], 1, WORDS(round));

		if (answer.words[0] != round + 1) helper->result[1]++;
		if (answer.words[1] != helper->argument[1]) helper->result[2]++;
		if (core_hardware_id() != helper->argument[1]) helper->result[3]++;
		helper->count++;
	}
}

static struct helper *client_start(unsigned core, uint64_t endpoint, uint64_t rounds) {
	struct helper *client = core_helper(core, PRIORITY_HELPER);

	client->argument[0] = endpoint;
	client->argument[1] = core_id(core);
	client->argument[2] = rounds;
	helper_start(client, call_many);
	return client;
}

static void client_check(const struct helper *client) {
	CHECK_SOON(client->done);
	CHECK_EQUAL(client->result[1], 0);
	CHECK_EQUAL(client->result[2], 0);
	CHECK_EQUAL(client->result[3], 0);
}

static void called_from_each_core(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *server = passive_start(core_serve, endpoint, 0);

	for (unsigned round = 0; round < 8; round++)
		client_check(client_start(round % core_count(), endpoint, 3));
	CHECK_EQUAL(server->count, 24);
}

static void called_from_all_at_once(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *server = passive_start(core_serve, endpoint, 0);
	struct helper *clients[8];

	for (unsigned index = 0; index < array_count(clients); index++)
		clients[index] = client_start(index % core_count(), endpoint, ROUNDS);
	for (unsigned index = 0; index < array_count(clients); index++)
		client_check(clients[index]);
	CHECK_EQUAL(server->count, ROUNDS * array_count(clients));
}

static void relay(struct helper *helper) {
	struct message message = ipc_recv(helper->argument[0], helper->argument[1]);

	for (;;) {
		struct message answer = ipc_call(helper->argument[2], 0, WORDS(message.words[0]));

		if (core_hardware_id() != answer.words[1]) helper->result[0]++;
		message = ipc_reply_recv(helper->argument[0], helper->argument[1],
			WORDS(answer.words[0], answer.words[1]));
	}
}

// Both servers follow the context, and go back for the next one.
static void chain(void) {
	uint64_t first = object_new(OBJECT_ENDPOINT, 0), second = object_new(OBJECT_ENDPOINT, 0);
	struct helper *middle, *clients[6];

	(void)passive_start(core_serve, second, 0);
	middle = passive_start(relay, first, second);
	for (unsigned index = 0; index < array_count(clients); index++)
		clients[index] = client_start(index % core_count(), first, ROUNDS / 4);
	for (unsigned index = 0; index < array_count(clients); index++)
		client_check(clients[index]);
	CHECK_EQUAL(middle->result[0], 0);
}

static void serve_long(struct helper *helper) {
	(void)ipc_recv(helper->argument[0], helper->argument[1]);
	for (;;) {
		helper->count++;
		helper->result[0] = core_hardware_id();
		if (helper->argument[3]) {
			helper->argument[3] = 0;
			(void)ipc_reply_recv(helper->argument[0], helper->argument[1], WORDS());
		}
		core_relax();
	}
}

// A passive server runs for a client of another core.
struct call {
	struct helper *server, *client;
};

static struct call call_start(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct call call;

	call.server = passive_start(serve_long, endpoint, 0);
	call.client = core_helper(core_other(0), PRIORITY_HELPER);
	call.client->argument[0] = endpoint;
	helper_start(call.client, core_call_once);
	CHECK_COUNTS(call.server, core_other(0));
	return call;
}

// Its caller's context moves while the server runs on it: so does the server, then the caller.
static void moved_during_the_call(void) {
	struct call call = call_start();

	CHECK_OK(core_move(core_other(1), call.client->sched_context));
	CHECK_COUNTS(call.server, core_other(1));
	call.server->argument[3] = 1;
	CHECK_MEANWHILE(call.client->done);
	CHECK_EQUAL(call.client->result[0], core_id(core_other(1)));
}

// Neither the caller's end nor that of the Reply leaves the context on two cores.
static void caller_goes(void) {
	struct call call = call_start();

	CHECK_OK(invoke(call.client->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
	CHECK_COUNTS(call.server, core_other(0));
	CHECK_EQUAL(call.client->done, 0);
}

static void reply_goes(void) {
	struct call call = call_start();

	CHECK_OK(cap_delete(call.server->argument[1]));
	// The context went back to the caller, which is inactive.
	CHECK_STANDS(call.server);
	CHECK_OK(invoke(call.client->sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT,
		CAPS(call.client->tcb), WORDS()));
}

static void answer(struct helper *helper) { ipc_send(helper->argument[0], 66, WORDS()); }

static void stranger_answers(void) {
	struct call call = call_start();
	struct helper *stranger = core_helper(core_other(1), PRIORITY_HELPER + 20);

	stranger->argument[0] = call.server->argument[1];
	helper_start(stranger, answer);
	CHECK_MEANWHILE(call.client->done);
	CHECK_EQUAL(call.client->message.label, 66);
	CHECK_EQUAL(call.client->result[0], core_id(core_other(0)));
	CHECK_STANDS(call.server);
}

static const struct test tests[] = {
	{"cores-donation", "a passive server runs on the core of each of its callers",
		called_from_each_core, NULL},
	{"cores-donation-all", "a passive server serves clients of all cores at once",
		called_from_all_at_once, NULL},
	{"cores-donation-chain", "a context takes two servers to the caller's core", chain, NULL},
	{"cores-donation-moved", "a context that moves during a call takes the server along",
		moved_during_the_call, NULL},
	{"cores-donation-suspended", "a server keeps the context when its caller is suspended",
		caller_goes, NULL},
	{"cores-donation-gone", "without the Reply a server of another core stops", reply_goes,
		NULL},
	{"cores-donation-stranger", "an answer from another core takes the context from the server",
		stranger_answers, NULL},
};

TEST_FILE(cores_donation);
