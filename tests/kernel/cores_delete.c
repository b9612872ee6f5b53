// SPDX-License-Identifier: BSD-2-Clause
// Tests: objects are deleted while threads of other cores use them.
#include "snippets.h"
#include "cores.h"

enum { ROUNDS = 10, UNTYPED_BITS = 14 };

static volatile uint64_t counter;

static void thread_deleted(void) {
	for (unsigned round = 0; round < 8; round++) {
		struct helper *helper = core_start(core_other(round), PRIORITY_HELPER, core_spin);

		CHECK_COUNTS(helper, core_other(round));
		CHECK_OK(cap_delete(helper->tcb));
		CHECK_STANDS(helper);
	}
}

// A thread of an untyped of its own, so that its memory is used anew.
static void thread_revoked(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, UNTYPED_BITS);

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t tcb = object_new_in(untyped, OBJECT_TCB, 0);
		uint64_t context = object_new_in(untyped, OBJECT_SCHED_CONTEXT, 8);
		uint64_t count;

		CHECK_OK(core_move(core_other(round), context));
		CHECK_OK(invoke(tcb, LABEL_TCB_CONFIGURE,
			CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_SPACE, NULL_CAP), WORDS(0, 0, 0)));
		CHECK_OK(invoke(tcb, LABEL_TCB_SET_SCHED_PARAMS,
			CAPS(ROOT_SLOT_TCB, context, NULL_CAP),
			WORDS(PRIORITY_HELPER, PRIORITY_HELPER)));
		counter = 0;
		CHECK_OK(invoke(tcb, LABEL_TCB_WRITE_REGISTERS, CAPS(),
			WORDS(1, 9, (uint64_t)code_count, 0, 0x202, 0, 0, 0, 0, 0,
				(uint64_t)&counter)));
		CHECK_MEANWHILE(counter > 0);
		CHECK_OK(cap_revoke(untyped));
		count = counter;
		for (unsigned look = 0; look < 100; look++) {
			core_relax();
			CHECK_EQUAL(counter, count);
		}
	}
}

static void context_deleted(void) {
	for (unsigned round = 0; round < 8; round++) {
		struct helper *helper = core_start(core_other(round), PRIORITY_HELPER, core_spin);

		CHECK_COUNTS(helper, core_other(round));
		CHECK_OK(cap_delete(helper->sched_context));
		CHECK_STANDS(helper);
	}
}

static void delete_own(struct helper *helper) {
	helper->count++;
	(void)invoke(ROOT_SLOT_CNODE, LABEL_CNODE_DELETE, CAPS(), WORDS(helper->tcb, DEPTH));
	helper->count++;
}

static void deletes_itself(void) {
	struct helper *helper = core_start(core_other(0), PRIORITY_HELPER, delete_own);
	struct helper *next = core_start(core_other(0), PRIORITY_HELPER - 1, core_spin);

	CHECK_COUNTS(next, core_other(0));
	CHECK_EQUAL(helper->count, 1);
	CHECK_EQUAL(cap_kind(helper->tcb), KIND_NULL);
}

static void call_then_count(struct helper *helper) {
	for (;;) {
		(void)ipc_call(helper->argument[0], 1, WORDS());
		helper->count++;
		core_relax();
	}
}

// Callers of all cores wait at it, or are about to: each continues with the error.
static void endpoint_deleted(void) {
	struct helper *callers[6];
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	for (unsigned index = 0; index < array_count(callers); index++) {
		callers[index] = core_helper(core_other(index), PRIORITY_HELPER);
		callers[index]->argument[0] = endpoint;
		helper_start(callers[index], call_then_count);
	}
	core_pass(500);
	CHECK_OK(cap_delete(endpoint));
	for (unsigned index = 0; index < array_count(callers); index++)
		(void)invoke(callers[index]->tcb, LABEL_TCB_RESUME, CAPS(), WORDS());
	CHECK_EQUAL(cap_kind(endpoint), KIND_NULL);
}

// While servers and clients of all cores use it.
static void endpoint_revoked_in_use(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, UNTYPED_BITS);

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t endpoint = object_new_in(untyped, OBJECT_ENDPOINT, 0);
		uint64_t reply = object_new_in(untyped, OBJECT_REPLY, 0);
		struct helper *server = core_helper(core_other(0), PRIORITY_HELPER);
		struct helper *client = core_helper(core_other(1), PRIORITY_HELPER);

		server->argument[0] = client->argument[0] = endpoint;
		server->argument[1] = reply;
		helper_start(server, core_serve);
		helper_start(client, call_then_count);
		CHECK_MEANWHILE(client->count > 3);
		core_pass(round * 7);
		CHECK_OK(cap_revoke(untyped));
		helpers_stop();
		helpers_forget();
	}
}

static void notification_deleted(void) {
	struct helper *waiters[6];
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	for (unsigned index = 0; index < array_count(waiters); index++) {
		waiters[index] = core_helper(core_other(index), PRIORITY_HELPER);
		waiters[index]->argument[0] = notification;
		helper_start(waiters[index], core_wait_once);
	}
	core_pass(1000);
	CHECK_OK(cap_delete(notification));
	for (unsigned index = 0; index < array_count(waiters); index++)
		CHECK_EQUAL(waiters[index]->done, 0);
}

static void send_badged(struct helper *helper) {
	ipc_send(helper->argument[0], 0, WORDS());
	helper->count++;
}

static void sends_cancelled(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0), reply = object_new(OBJECT_REPLY, 0);
	uint64_t badged[2] = {cap_mint(endpoint, RIGHTS_ALL, 1), cap_mint(endpoint, RIGHTS_ALL, 2)};
	struct helper *senders[6];
	unsigned received[2] = {0};

	for (unsigned index = 0; index < array_count(senders); index++) {
		senders[index] = core_helper(core_other(index), PRIORITY_HELPER);
		senders[index]->argument[0] = badged[index % 2];
		helper_start(senders[index], send_badged);
	}
	core_pass(2000);
	// Senders of the badge try again and wait again.
	CHECK_OK(invoke(
		ROOT_SLOT_CNODE, LABEL_CNODE_CANCEL_BADGED_SENDS, CAPS(), WORDS(badged[0], DEPTH)));
	for (unsigned index = 0; index < array_count(senders); index++)
		received[ipc_recv(endpoint, reply).badge == 1]++;
	CHECK_EQUAL(received[0], received[1]);
	for (unsigned index = 0; index < array_count(senders); index++)
		CHECK_MEANWHILE(senders[index]->done);
}

static void revoke_many(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned index = 0; index < 50; index++)
			(void)invoke(ROOT_SLOT_CNODE, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
				WORDS(helper->argument[1] + index, DEPTH, helper->argument[0],
					DEPTH, RIGHTS_ALL));
		(void)invoke(ROOT_SLOT_CNODE, LABEL_CNODE_REVOKE, CAPS(),
			WORDS(helper->argument[0], DEPTH));
		helper->count++;
	}
}

// All cores copy and revoke in one CNode, each its own capability.
static void revokes_of_all_cores(void) {
	struct helper *helpers[4];

	for (unsigned index = 0; index < array_count(helpers); index++) {
		helpers[index] = core_helper(core_other(index), PRIORITY_HELPER);
		helpers[index]->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
		helpers[index]->argument[1] = slot_take();
		for (unsigned slot = 1; slot < 50; slot++)
			(void)slot_take();
	}
	for (unsigned index = 0; index < array_count(helpers); index++)
		helper_start(helpers[index], revoke_many);
	for (unsigned index = 0; index < array_count(helpers); index++) {
		CHECK_MEANWHILE(helpers[index]->done);
		CHECK_EQUAL(helpers[index]->count, ROUNDS);
		CHECK_EQUAL(cap_kind(helpers[index]->argument[1]), KIND_NULL);
	}
}

static const struct test tests[] = {
	{"cores-delete", "a thread is deleted while it runs on another core", thread_deleted, NULL},
	{"cores-revoke", "its memory is revoked and used anew", thread_revoked, NULL},
	{"cores-delete-context", "a thread stops when its context is deleted", context_deleted,
		NULL},
	{"cores-delete-self", "a thread deletes itself, and its core goes on", deletes_itself,
		NULL},
	{"cores-delete-endpoint", "an endpoint is deleted with callers of all cores",
		endpoint_deleted, NULL},
	{"cores-revoke-endpoint", "an endpoint and Reply are revoked between two calls",
		endpoint_revoked_in_use, NULL},
	{"cores-delete-notification", "a notification is deleted with waiters of all cores",
		notification_deleted, NULL},
	{"cores-cancel-badge", "senders of other cores are cancelled by badge", sends_cancelled,
		NULL},
	{"cores-revoke-all", "all cores copy and revoke at once", revokes_of_all_cores, NULL},
};

TEST_FILE(cores_delete);
