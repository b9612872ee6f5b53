// SPDX-License-Identifier: BSD-2-Clause
// Tests: deletion and revocation of everything: cycles, zombies, one's own objects, large sets.
#include "world.h"

static void fill(uint64_t cnode, unsigned depth, uint64_t source) {
	for (uint64_t index = 0; index < 1ul << depth; index++)
		CHECK_OK(invoke(cnode, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
			WORDS(index, depth, source, DEPTH, RIGHTS_ALL)));
}

static void cnode_contents(void) {
	uint64_t cnode = object_new(OBJECT_CNODE, 4);
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);

	CHECK_OK(retype(untyped, WORDS(OBJECT_ENDPOINT, 0, cnode, 64, 0, 16)));
	CHECK_OK(cap_delete(cnode));
	// All its endpoints are gone: the untyped starts from the beginning.
	(void)object_new_in(untyped, OBJECT_PAGE, 0);
}

static void cnode_shared(void) {
	uint64_t cnode = object_new(OBJECT_CNODE, 2);
	uint64_t copy = cap_copy(cnode);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	fill(cnode, 2, endpoint);
	CHECK_OK(cap_delete(cnode));
	CHECK_ERROR(invoke(copy, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
			    WORDS(1, 2, endpoint, DEPTH, RIGHTS_ALL)),
		ERROR_DELETE_FIRST);
}

static void cnode_in_itself(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);
	uint64_t cnode = object_new_in(untyped, OBJECT_CNODE, 4);

	CHECK_OK(invoke(cnode, LABEL_CNODE_MOVE, CAPS(ROOT_SLOT_CNODE), WORDS(3, 4, cnode, DEPTH)));
	// Only the CNode itself names it now; revoking the memory takes it.
	CHECK_OK(cap_revoke(untyped));
	(void)object_new_in(untyped, OBJECT_PAGE, 0);
}

static void cnode_copies_in_itself(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);
	uint64_t cnode = object_new_in(untyped, OBJECT_CNODE, 4);

	fill(cnode, 4, cnode);
	CHECK_OK(cap_delete(cnode));
	CHECK_OK(cap_revoke(untyped));
	(void)object_new_in(untyped, OBJECT_PAGE, 0);
}

static void cnode_cycle(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);
	uint64_t first = object_new_in(untyped, OBJECT_CNODE, 4);
	uint64_t second = object_new_in(untyped, OBJECT_CNODE, 4);

	CHECK_OK(invoke(second, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
		WORDS(0, 4, first, DEPTH, RIGHTS_ALL)));
	CHECK_OK(
		invoke(first, LABEL_CNODE_MOVE, CAPS(ROOT_SLOT_CNODE), WORDS(0, 4, second, DEPTH)));
	CHECK_OK(cap_delete(first));
	CHECK_OK(cap_revoke(untyped));
	(void)object_new_in(untyped, OBJECT_PAGE, 0);
}

static void cnode_chain(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 20);
	uint64_t outer = object_new_in(untyped, OBJECT_CNODE, 2);

	// Each CNode holds the one before: deleting the last unravels all.
	for (unsigned level = 0; level < 200; level++) {
		uint64_t next = object_new_in(untyped, OBJECT_CNODE, 2);

		CHECK_OK(invoke(
			next, LABEL_CNODE_MOVE, CAPS(ROOT_SLOT_CNODE), WORDS(1, 2, outer, DEPTH)));
		outer = next;
	}
	CHECK_OK(cap_delete(outer));
	CHECK_OK(retype_one(untyped, OBJECT_UNTYPED, 20, slot_take()));
}

static void large_cnode(void) {
	uint64_t cnode = object_new(OBJECT_CNODE, 12);
	uint64_t untyped = object_new(OBJECT_UNTYPED, 16);

	for (uint64_t offset = 0; offset < 4096; offset += RETYPE_MAX_OBJECTS)
		CHECK_OK(retype(
			untyped, WORDS(OBJECT_ENDPOINT, 0, cnode, 64, offset, RETYPE_MAX_OBJECTS)));
	CHECK_OK(cap_delete(cnode));
	CHECK_OK(retype_one(untyped, OBJECT_UNTYPED, 16, slot_take()));
}

static void large_revoke(void) {
	uint64_t cnode = object_new(OBJECT_CNODE, 12);
	uint64_t untyped = object_new(OBJECT_UNTYPED, 16);

	for (uint64_t offset = 0; offset < 4096; offset += RETYPE_MAX_OBJECTS)
		CHECK_OK(retype(
			untyped, WORDS(OBJECT_ENDPOINT, 0, cnode, 64, offset, RETYPE_MAX_OBJECTS)));
	CHECK_OK(cap_revoke(untyped));
	for (uint64_t offset = 0; offset < 4096; offset += 100)
		CHECK_ERROR(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_MOVE, CAPS(cnode),
				    WORDS(slot_take(), DEPTH, offset, 12)),
			ERROR_FAILED_LOOKUP, 1, LOOKUP_MISSING_CAPABILITY, 12);
}

static void nothing(struct helper *helper) { helper->count++; }

static void thread_running(struct helper *helper) {
	for (;;)
		helper->count++;
}

static void running_thread(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t count;

	helper_start(helper, thread_running);
	CHECK_SOON(helper->count != 0);
	CHECK_OK(cap_delete(helper->tcb));
	count = helper->count;
	CHECK(count != 0);
	sleep_microseconds(3000);
	CHECK_EQUAL(helper->count, count);
	// Its scheduling context is free again.
	CHECK_OK(invoke(helper->sched_context, LABEL_SCHED_CONTEXT_BIND,
		CAPS(object_new(OBJECT_TCB, 0)), WORDS()));
}

static void sched_context_of_running(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t count;

	helper_start(helper, thread_running);
	CHECK_SOON(helper->count != 0);
	CHECK_OK(cap_delete(helper->sched_context));
	count = helper->count;
	sleep_microseconds(3000);
	CHECK_EQUAL(helper->count, count);
}

static void delete_own_context(struct helper *helper) {
	helper->count = 1;
	(void)cap_delete(helper->sched_context);
	helper->count = 2;
}

static void own_context(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t other = sched_context_make(
		(struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE});

	helper_start(helper, delete_own_context);
	settle();
	CHECK_EQUAL(helper->count, 1);
	CHECK_OK(invoke(other, LABEL_SCHED_CONTEXT_BIND, CAPS(helper->tcb), WORDS()));
	settle();
	CHECK_EQUAL(helper->count, 2);
}

static void revoke_given(struct helper *helper) {
	helper->count = 1;
	(void)cap_revoke(helper->argument[0]);
	helper->count = 2;
}

static void own_memory(void) {
	uint64_t arena = world.arena;
	uint64_t untyped = object_new(OBJECT_UNTYPED, 16);
	struct helper *helper;

	// A thread revokes the memory it, its context and its notification are made of.
	world.arena = untyped;
	helper = helper_make(PRIORITY_HELPER);
	world.arena = arena;
	helper->argument[0] = untyped;
	helper_start(helper, revoke_given);
	settle();
	CHECK_EQUAL(helper->count, 1);
	CHECK_EQUAL(cap_kind(helper->tcb), KIND_NULL);
	// The thread stopped in the middle left the rest to be revoked.
	CHECK_OK(cap_revoke(untyped));
	(void)object_new_in(untyped, OBJECT_UNTYPED, 16);
}

static void own_cspace(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t untyped = object_new(OBJECT_UNTYPED, 14);
	uint64_t cnode = object_new_in(untyped, OBJECT_CNODE, 8);
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
	struct message fault;

	CHECK_OK(invoke(cnode, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
		WORDS(1, 8, ROOT_SLOT_CNODE, DEPTH, RIGHTS_ALL)));
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_SPACE, CAPS(faults, cnode, ROOT_SLOT_SPACE),
		WORDS(56, 0)));
	CHECK_OK(cap_revoke(untyped));
	helper_start(helper, nothing);
	fault = ipc_recv(faults, object_new(OBJECT_REPLY, 0));
	// Suspending itself found no CSpace.
	CHECK_EQUAL(fault.label, FAULT_CAP);
	CHECK_EQUAL(fault.words[3], LOOKUP_INVALID_ROOT);
	CHECK_EQUAL(fault.length, 4);
}

static void preempted_revoke(void) {
	struct helper *spinner = helper_make_with(
		PRIORITY_MAIN + 1, (struct sched_setting){.budget = 100, .period = 1000});
	uint64_t cnode = object_new(OBJECT_CNODE, 12);
	uint64_t untyped = object_new(OBJECT_UNTYPED, 16);

	helper_start(spinner, thread_running);
	for (unsigned round = 0; round < 4; round++) {
		for (uint64_t offset = 0; offset < 4096; offset += RETYPE_MAX_OBJECTS)
			CHECK_OK(retype(untyped,
				WORDS(OBJECT_ENDPOINT, 0, cnode, 64, offset, RETYPE_MAX_OBJECTS)));
		CHECK_OK(cap_revoke(untyped));
	}
	CHECK_SOON(spinner->count != 0);
}

static void fault_handler_revoked(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
	uint64_t given = cap_mint(faults, RIGHTS_ALL, 5);

	helper_fault_handler_set(helper, given);
	CHECK_OK(cap_delete(given)); // the thread keeps its copy
	helper_start_at(helper, (const void *)0x10, 0);
	CHECK_EQUAL(ipc_recv(faults, object_new(OBJECT_REPLY, 0)).badge, 5);
	CHECK_OK(cap_revoke(faults));
	helper_start_at(helper, (const void *)0x10, 0);
	settle();
	CHECK_EQUAL(ipc_nb_wait(faults).badge, 0);
}

static const struct test tests[] = {
	{"delete-contents", "deleting a CNode deletes what its slots hold", cnode_contents, NULL},
	{"delete-shared", "a CNode with another capability to it survives", cnode_shared, NULL},
	{"delete-self", "a CNode whose only capability lies in it is revoked with its memory",
		cnode_in_itself, NULL},
	{"delete-self-full", "a CNode full of itself is deleted", cnode_copies_in_itself, NULL},
	{"delete-cycle", "two CNodes that hold each other are deleted", cnode_cycle, NULL},
	{"delete-chain", "a chain of two hundred CNodes is deleted from its end", cnode_chain,
		NULL},
	{"delete-large", "a CNode with 4096 objects is deleted", large_cnode, NULL},
	{"revoke-large", "4096 objects are revoked at once", large_revoke, NULL},
	{"delete-thread", "a running thread stops when deleted", running_thread, NULL},
	{"delete-context", "a thread stops when its scheduling context is deleted",
		sched_context_of_running, NULL},
	{"delete-own-context", "a thread that deletes its own context continues with another",
		own_context, NULL},
	{"revoke-own", "a thread may revoke the memory it is made of", own_memory, NULL},
	{"revoke-cspace", "a thread whose CSpace is revoked faults at its next system call",
		own_cspace, NULL},
	{"revoke-preempted", "a long revoke lets a higher priority thread run and completes",
		preempted_revoke, NULL},
	{"revoke-handler", "revoking an endpoint empties the fault handler slots",
		fault_handler_revoked, NULL},
};

TEST_FILE(deletion);
