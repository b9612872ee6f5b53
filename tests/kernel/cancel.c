// SPDX-License-Identifier: BSD-2-Clause
// Tests: CancelBadgedSends and other ways a blocked operation ends (CAP-23, CAP-24, CAP-35).
#include "snippets.h"
#include "world.h"

static void send_number(struct helper *helper) {
	ipc_send(helper->argument[0], helper->argument[1], WORDS());
	helper->count++;
}

static struct helper *sender_start(uint64_t cap, uint64_t number, uint64_t faults) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper_fault_handler_set(helper, faults);
	helper->argument[0] = cap;
	helper->argument[1] = number;
	helper_start(helper, send_number);
	settle();
	return helper;
}

static struct message cancel(uint64_t slot) {
	return invoke(ROOT_SLOT_CNODE, LABEL_CNODE_CANCEL_BADGED_SENDS, CAPS(), WORDS(slot, DEPTH));
}

static void by_badge(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t first = cap_mint(endpoint, RIGHTS_ALL, 1);
	uint64_t second = cap_mint(endpoint, RIGHTS_ALL, 2);
	uint64_t copy = cap_copy(first);

	(void)sender_start(first, 11, NULL_CAP);
	(void)sender_start(second, 12, NULL_CAP);
	(void)sender_start(first, 13, NULL_CAP);
	CHECK_OK(cap_delete(first));
	CHECK_OK(cancel(copy));
	settle();
	// The restarted ones found an empty slot; the others kept their place.
	CHECK_EQUAL(ipc_nb_wait(endpoint).label, 12);
	CHECK_EQUAL(ipc_nb_wait(endpoint).badge, 0);
}

static void restarted_sends_again(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t badged = cap_mint(endpoint, RIGHTS_ALL, 1);

	(void)sender_start(badged, 11, NULL_CAP);
	CHECK_OK(cancel(badged));
	settle();
	CHECK_EQUAL(ipc_nb_wait(endpoint).label, 11);
}

static void receivers_unaffected(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	CHECK_OK(cancel(cap_mint(endpoint, RIGHTS_ALL, 1)));
	CHECK_OK(cancel(endpoint));
}

static void fault_message_cancelled(void) {
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
	uint64_t badged = cap_mint(faults, RIGHTS_ALL, 3);
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper_fault_handler_set(helper, badged);
	helper_start_at(helper, code_undefined, 0);
	settle();
	CHECK_OK(cancel(badged));
	settle();
	CHECK_EQUAL(ipc_nb_wait(faults).badge, 0);
	// Inactive: resumed, it faults again.
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	settle();
	CHECK_EQUAL(ipc_nb_wait(faults).label, FAULT_USER_EXCEPTION);
}

static void endpoint_deleted(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = sender_start(endpoint, 1, faults);

	CHECK_OK(cap_delete(endpoint));
	settle();
	// Send to an empty slot does nothing: the thread continues.
	CHECK_EQUAL(helper->count, 1);
}

static void receiver_deleted_endpoint(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = helper_make(PRIORITY_HELPER);
	struct message fault;

	helper_fault_handler_set(helper, faults);
	helper->argument[0] = endpoint;
	helper->argument[1] = object_new(OBJECT_REPLY, 0);
	helper_start(helper, helper_receive);
	settle();
	CHECK_OK(cap_delete(endpoint));
	fault = ipc_recv(faults, object_new(OBJECT_REPLY, 0));
	CHECK_EQUAL(fault.label, FAULT_CAP);
	CHECK_EQUAL(fault.length, 5);
	CHECK_EQUAL(fault.words[1], endpoint);
	CHECK_EQUAL(fault.words[2], 1);
	CHECK_EQUAL(fault.words[3], LOOKUP_MISSING_CAPABILITY);
	CHECK_EQUAL(fault.words[4], 0);
}

static void sender_suspended(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = sender_start(endpoint, 4, NULL_CAP);

	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
	CHECK_EQUAL(ipc_nb_wait(endpoint).badge, 0);
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	settle();
	CHECK_EQUAL(ipc_nb_wait(endpoint).label, 4);
}

static void middle_of_queue(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *middle;

	(void)sender_start(endpoint, 1, NULL_CAP);
	middle = sender_start(endpoint, 2, NULL_CAP);
	(void)sender_start(endpoint, 3, NULL_CAP);
	CHECK_OK(cap_delete(middle->tcb));
	CHECK_EQUAL(ipc_nb_wait(endpoint).label, 1);
	CHECK_EQUAL(ipc_nb_wait(endpoint).label, 3);
}

static const struct test tests[] = {
	{"cancel-badge", "senders with the badge are restarted, others keep their order", by_badge,
		NULL},
	{"cancel-again", "a restarted sender sends again if it can", restarted_sends_again, NULL},
	{"cancel-no-sender", "without senders nothing happens", receivers_unaffected, NULL},
	{"cancel-fault", "a queued fault message is dropped and its thread becomes inactive",
		fault_message_cancelled, NULL},
	{"cancel-deleted", "senders of a deleted endpoint execute their call again",
		endpoint_deleted, NULL},
	{"cancel-receiver", "receivers of a deleted endpoint fault", receiver_deleted_endpoint,
		NULL},
	{"cancel-suspend", "a suspended sender leaves the queue and sends when resumed",
		sender_suspended, NULL},
	{"cancel-middle", "a thread deleted in the middle of a queue leaves the rest in order",
		middle_of_queue, NULL},
};

TEST_FILE(cancel);
