// SPDX-License-Identifier: BSD-2-Clause
// Tests: messages between threads of different cores.
#include "cores.h"

enum { ROUNDS = 100, LONG_WORDS = 20 };

static struct helper *server_start(unsigned core, uint64_t endpoint) {
	struct helper *server = core_helper(core, PRIORITY_HELPER);

	server->argument[0] = endpoint;
	server->argument[1] = object_new(OBJECT_REPLY, 0);
	helper_start(server, core_serve);
	return server;
}

// The server has time of its own, so it stays where it is.
static void call_and_back(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t badged = cap_mint(endpoint, RIGHTS_ALL, 0x51);
	struct helper *server = server_start(core_other(0), endpoint);

	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct message answer = ipc_call(badged, 3, WORDS(round));

		CHECK_EQUAL(answer.words[0], round + 1);
		CHECK_EQUAL(answer.words[1], core_id(core_other(0)));
		CHECK_EQUAL(server->result[1], 0x51);
		CHECK_EQUAL(core_hardware_id(), core_id(0));
	}
	CHECK_EQUAL(server->count, ROUNDS);
}

static void call_many(struct helper *helper) {
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct message answer = ipc_call(helper->argument[0], 1, WORDS(round));

		if (answer.words[0] != round + 1) helper->result[1]++;
		if (core_hardware_id() != helper->argument[1]) helper->result[2]++;
		helper->count++;
	}
}

static struct helper *client_start(unsigned core, uint64_t endpoint) {
	struct helper *client = core_helper(core, PRIORITY_HELPER);

	client->argument[0] = endpoint;
	client->argument[1] = core_id(core);
	helper_start(client, call_many);
	return client;
}

// Each core has a client and a server, and each client calls the next core's server.
static void calls_in_a_ring(void) {
	struct helper *clients[4];
	unsigned count = core_count() < 4 ? core_count() : 4;
	uint64_t endpoints[4];

	for (unsigned core = 0; core < count; core++) {
		endpoints[core] = object_new(OBJECT_ENDPOINT, 0);
		(void)server_start(core, endpoints[core]);
	}
	for (unsigned core = 0; core < count; core++)
		clients[core] = client_start(core, endpoints[(core + 1) % count]);
	for (unsigned core = 0; core < count; core++) {
		CHECK_SOON(clients[core]->done);
		CHECK_EQUAL(clients[core]->count, ROUNDS);
		CHECK_EQUAL(clients[core]->result[1], 0);
		CHECK_EQUAL(clients[core]->result[2], 0);
	}
}

// All call one server at once.
static void clients_of_all_cores(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *server = server_start(core_other(0), endpoint);
	struct helper *clients[8];

	for (unsigned index = 0; index < array_count(clients); index++)
		clients[index] = client_start(index % core_count(), endpoint);
	for (unsigned index = 0; index < array_count(clients); index++) {
		CHECK_SOON(clients[index]->done);
		CHECK_EQUAL(clients[index]->result[1], 0);
		CHECK_EQUAL(clients[index]->result[2], 0);
	}
	CHECK_EQUAL(server->count, ROUNDS * array_count(clients));
}

static void receive_many(struct helper *helper) {
	for (uint64_t round = 0; round < ROUNDS; round++) {
		struct message message = ipc_recv(helper->argument[0], helper->argument[1]);

		if (message.words[0] != round || message.label != 9) helper->result[1]++;
		helper->count++;
	}
}

// The side that comes to the endpoint first waits for the other.
static void sends(void) {
	struct helper *receiver = core_helper(core_other(0), PRIORITY_HELPER);

	receiver->argument[0] = object_new(OBJECT_ENDPOINT, 0);
	receiver->argument[1] = object_new(OBJECT_REPLY, 0);
	helper_start(receiver, receive_many);
	for (uint64_t round = 0; round < ROUNDS; round++)
		ipc_send(receiver->argument[0], 9, WORDS(round));
	CHECK_MEANWHILE(receiver->done);
	CHECK_EQUAL(receiver->result[1], 0);
}

static void sends_that_do_not_wait(void) {
	struct helper *receiver = core_helper(core_other(0), PRIORITY_HELPER);

	receiver->argument[0] = object_new(OBJECT_ENDPOINT, 0);
	receiver->argument[1] = object_new(OBJECT_REPLY, 0);
	helper_start(receiver, helper_receive);
	for (uint64_t sent = 0; receiver->done == 0; sent++) {
		if (sent == 10000000) test_fail(HERE, "none of %lu messages arrived", sent);
		ipc_nb_send(receiver->argument[0], 6, WORDS(sent));
		core_relax();
	}
	CHECK_EQUAL(receiver->message.label, 6);
}

static void send_once(struct helper *helper) {
	ipc_send(helper->argument[0], 4, WORDS(helper->index));
	helper->count++;
}

// Senders of several cores wait in one queue.
static void queue(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0), seen = 0, wanted = 0;
	struct helper *senders[6];

	for (unsigned index = 0; index < array_count(senders); index++) {
		senders[index] = core_helper(core_other(index), PRIORITY_HELPER);
		senders[index]->argument[0] = endpoint;
		helper_start(senders[index], send_once);
		wanted |= 1ul << senders[index]->index;
	}
	core_pass(2000);
	for (unsigned index = 0; index < array_count(senders); index++) {
		struct message message = ipc_recv(endpoint, object_new(OBJECT_REPLY, 0));

		CHECK_EQUAL(message.label, 4);
		seen |= 1ul << message.words[0];
	}
	CHECK_EQUAL(seen, wanted);
	for (unsigned index = 0; index < array_count(senders); index++)
		CHECK_MEANWHILE(senders[index]->done);
}

static void send_long(struct helper *helper) {
	uint64_t words[LONG_WORDS];

	for (unsigned index = 0; index < LONG_WORDS; index++)
		words[index] = 0x100 + index;
	ipc_send(helper->argument[0], 2, (struct words){LONG_WORDS, words});
	ipc_send_caps(helper->argument[0], CAPS(helper->argument[1]), WORDS(1));
}

static void long_and_with_capability(void) {
	struct helper *sender = core_helper(core_other(0), PRIORITY_HELPER);
	uint64_t slot = slot_take(), reply = object_new(OBJECT_REPLY, 0);
	struct message message;

	sender->argument[0] = object_new(OBJECT_ENDPOINT, 0);
	sender->argument[1] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(sender, send_long);
	message = ipc_recv(sender->argument[0], reply);
	CHECK_EQUAL(message.length, LONG_WORDS);
	for (unsigned index = 0; index < LONG_WORDS; index++)
		CHECK_EQUAL(message.words[index], 0x100 + index);
	receive_slot_set(ROOT_SLOT_CNODE, slot);
	message = ipc_recv(sender->argument[0], reply);
	CHECK_EQUAL(message.caps, 1);
	CHECK_EQUAL(cap_kind(slot), KIND_NOTIFICATION);
	CHECK_MEANWHILE(sender->done);
}

static void answer(struct helper *helper) {
	ipc_send(helper->argument[0], 77, WORDS(1));
	helper->count++;
}

// Who calls, who receives and who answers are on three cores, if there are so many.
static void answered_from_a_third_core(void) {
	struct helper *client = core_helper(core_other(0), PRIORITY_HELPER);
	struct helper *third = core_helper(core_other(1), PRIORITY_HELPER);

	client->argument[0] = object_new(OBJECT_ENDPOINT, 0);
	third->argument[0] = object_new(OBJECT_REPLY, 0);
	helper_start(client, core_call_once);
	CHECK_EQUAL(ipc_recv(client->argument[0], third->argument[0]).words[0], 7);
	core_pass(1000);
	CHECK_EQUAL(client->done, 0);
	helper_start(third, answer);
	CHECK_MEANWHILE(client->done && third->done);
	CHECK_EQUAL(client->message.label, 77);
	CHECK_EQUAL(client->result[0], core_id(core_other(0)));
}

static const struct test tests[] = {
	{"cores-call", "a Call reaches a server of another core, whose answer comes back",
		call_and_back, NULL},
	{"cores-call-ring", "servers of all cores are called from their neighbours at once",
		calls_in_a_ring, NULL},
	{"cores-call-one", "one server answers clients of all cores", clients_of_all_cores, NULL},
	{"cores-send", "messages arrive in order, whichever side waits", sends, NULL},
	{"cores-nbsend", "NBSend reaches a receiver of another core that waits",
		sends_that_do_not_wait, NULL},
	{"cores-queue", "senders of several cores wait at one endpoint", queue, NULL},
	{"cores-long", "a long message and a capability come from another core",
		long_and_with_capability, NULL},
	{"cores-reply", "a thread of a third core may answer", answered_from_a_third_core, NULL},
};

TEST_FILE(cores_ipc);
