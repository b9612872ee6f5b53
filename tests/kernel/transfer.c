// SPDX-License-Identifier: BSD-2-Clause
// Tests: capabilities in messages: grant, receive slot, unwrapping (MSG-10 to MSG-16).
#include "snippets.h"
#include "world.h"

static void receive_into(struct helper *helper) {
	receive_slot_set(ROOT_SLOT_CNODE, helper->argument[2]);
	helper->message = ipc_recv(helper->argument[0], helper->argument[1]);
}

struct transfer {
	uint64_t endpoint;
	uint64_t reply;
	uint64_t slot;
	struct helper *helper;
};

static struct transfer transfer_make(void) {
	struct transfer made = {
		.endpoint = object_new(OBJECT_ENDPOINT, 0),
		.reply = object_new(OBJECT_REPLY, 0),
		.slot = slot_take(),
		.helper = helper_make(PRIORITY_HELPER),
	};

	made.helper->argument[0] = made.endpoint;
	made.helper->argument[1] = made.reply;
	made.helper->argument[2] = made.slot;
	helper_start(made.helper, receive_into);
	settle();
	return made;
}

static void result_check(
	struct place place, const struct transfer *made, unsigned caps, unsigned unwrapped) {
	settle();
	check_equal(place, "receiver done", made->helper->done, 1);
	check_equal(place, "caps", made->helper->message.caps, caps);
	check_equal(place, "unwrapped", made->helper->message.unwrapped, unwrapped);
}

static void one_cap(void) {
	struct transfer made = transfer_make();
	uint64_t tcb = object_new(OBJECT_TCB, 0);

	ipc_send_caps(made.endpoint, CAPS(tcb), WORDS(1));
	result_check(HERE, &made, 1, 0);
	CHECK_EQUAL(cap_kind(made.slot), KIND_TCB);
	CHECK_EQUAL(cap_kind(tcb), KIND_TCB);
	CHECK_EQUAL(made.helper->message.length, 1);
}

static void without_grant(void) {
	struct transfer made = transfer_make();
	uint64_t plain = cap_copy_rights(made.endpoint, RIGHT_WRITE | RIGHT_GRANT_REPLY);

	ipc_send_caps(plain, CAPS(ROOT_SLOT_TCB), WORDS(1));
	result_check(HERE, &made, 0, 0);
	CHECK_EQUAL(cap_kind(made.slot), KIND_NULL);
}

static void unwrap_same_endpoint(void) {
	struct transfer made = transfer_make();
	uint64_t badged = cap_mint(made.endpoint, RIGHTS_ALL, 0x1234);

	ipc_send_caps(made.endpoint, CAPS(badged), WORDS());
	result_check(HERE, &made, 1, 1);
	CHECK_EQUAL(made.helper->buffer->caps_or_badges[0], 0x1234);
	CHECK_EQUAL(cap_kind(made.slot), KIND_NULL);
}

static void unwrap_around_cap(void) {
	struct transfer made = transfer_make();
	uint64_t first = cap_mint(made.endpoint, RIGHTS_ALL, 0x10);
	uint64_t third = cap_mint(made.endpoint, RIGHTS_ALL, 0x30);
	uint64_t other = object_new(OBJECT_ENDPOINT, 0);

	ipc_send_caps(made.endpoint, CAPS(first, other, third), WORDS());
	result_check(HERE, &made, 3, 5);
	CHECK_EQUAL(made.helper->buffer->caps_or_badges[0], 0x10);
	CHECK_EQUAL(made.helper->buffer->caps_or_badges[2], 0x30);
	CHECK_EQUAL(cap_kind(made.slot), KIND_ENDPOINT);
}

static void second_cap_stops(void) {
	struct transfer made = transfer_make();
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);

	ipc_send_caps(made.endpoint, CAPS(tcb, reply), WORDS());
	result_check(HERE, &made, 1, 0);
	CHECK_EQUAL(cap_kind(made.slot), KIND_TCB);
}

static void null_item_stops(void) {
	struct transfer made = transfer_make();

	ipc_send_caps(made.endpoint, CAPS(NULL_CAP, ROOT_SLOT_TCB), WORDS());
	result_check(HERE, &made, 0, 0);
	CHECK_EQUAL(cap_kind(made.slot), KIND_NULL);
}

static void underived_stops(void) {
	struct transfer made = transfer_make();

	ipc_send_caps(made.endpoint, CAPS(ROOT_SLOT_IRQ_CONTROL), WORDS());
	result_check(HERE, &made, 0, 0);
	CHECK_EQUAL(cap_kind(made.slot), KIND_NULL);
}

static void slot_occupied(void) {
	struct transfer made = transfer_make();

	CHECK_OK(retype_one(world.arena, OBJECT_REPLY, 0, made.slot));
	ipc_send_caps(made.endpoint, CAPS(ROOT_SLOT_TCB), WORDS(6));
	result_check(HERE, &made, 0, 0);
	CHECK_EQUAL(made.helper->message.words[0], 6);
	CHECK_EQUAL(cap_kind(made.slot), KIND_REPLY);
}

static void receive_root_bad(void) {
	struct transfer made = transfer_make();

	made.helper->buffer->receive_cnode = ROOT_SLOT_TCB;
	ipc_send_caps(made.endpoint, CAPS(ROOT_SLOT_TCB), WORDS());
	result_check(HERE, &made, 0, 0);
}

static void receive_depth_bad(void) {
	struct transfer made = transfer_make();

	made.helper->buffer->receive_depth = 65;
	ipc_send_caps(made.endpoint, CAPS(ROOT_SLOT_TCB), WORDS());
	result_check(HERE, &made, 0, 0);
}

static void receive_fields_late(void) {
	struct transfer made = transfer_make();
	uint64_t other = slot_take();

	// The fields are read when the sender arrives.
	made.helper->buffer->receive_index = other;
	ipc_send_caps(made.endpoint, CAPS(ROOT_SLOT_TCB), WORDS());
	result_check(HERE, &made, 1, 0);
	CHECK_EQUAL(cap_kind(other), KIND_TCB);
}

static void send_with_cap(struct helper *helper) {
	ipc_send_caps(helper->argument[0], CAPS(helper->argument[1]), WORDS(2));
}

static void sender_waited(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t slot = slot_take();
	struct message message;

	helper->argument[0] = endpoint;
	helper->argument[1] = object_new(OBJECT_TCB, 0);
	helper_start(helper, send_with_cap);
	settle();
	receive_slot_set(ROOT_SLOT_CNODE, slot);
	message = ipc_wait(endpoint);
	CHECK_EQUAL(message.caps, 1);
	CHECK_EQUAL(cap_kind(slot), KIND_TCB);
}

static void sender_cap_gone(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t slot = slot_take();
	struct message message;

	helper->argument[0] = endpoint;
	helper->argument[1] = object_new(OBJECT_TCB, 0);
	helper_start(helper, send_with_cap);
	settle();
	CHECK_OK(cap_delete(helper->argument[1]));
	receive_slot_set(ROOT_SLOT_CNODE, slot);
	message = ipc_wait(endpoint);
	CHECK_EQUAL(message.caps, 0);
	CHECK_EQUAL(message.words[0], 2);
}

static void address_unresolved(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);
	struct message fault;

	helper_fault_handler_set(helper, faults);
	helper->argument[0] = object_new(OBJECT_ENDPOINT, 0);
	helper->argument[1] = 1ul << 40;
	helper_start(helper, send_with_cap);
	fault = ipc_recv(faults, object_new(OBJECT_REPLY, 0));
	CHECK_EQUAL(fault.label, FAULT_CAP);
	CHECK_EQUAL(fault.words[1], 1ul << 40);
	CHECK_EQUAL(fault.words[2], 0);
	CHECK_EQUAL(fault.words[3], LOOKUP_GUARD_MISMATCH);
}

static void call_for_cap(struct helper *helper) {
	receive_slot_set(ROOT_SLOT_CNODE, helper->argument[2]);
	helper->message = ipc_call(helper->argument[0], 0, WORDS());
}

static struct helper *caller_start(uint64_t endpoint, uint64_t rights) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper->argument[0] = cap_copy_rights(endpoint, rights);
	helper->argument[2] = slot_take();
	helper_start(helper, call_for_cap);
	return helper;
}

static void reply_grants(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct helper *helper = caller_start(endpoint, RIGHT_WRITE | RIGHT_GRANT_REPLY);

	(void)ipc_recv(endpoint, reply);
	ipc_send_caps(reply, CAPS(ROOT_SLOT_TCB), WORDS());
	settle();
	CHECK_EQUAL(helper->message.caps, 1);
	CHECK_EQUAL(cap_kind(helper->argument[2]), KIND_TCB);
}

static void reply_without_grant(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct helper *helper = caller_start(endpoint, RIGHTS_ALL);

	(void)ipc_recv(endpoint, reply);
	ipc_send_caps(cap_copy_rights(reply, RIGHT_WRITE), CAPS(ROOT_SLOT_TCB), WORDS(4));
	settle();
	CHECK_EQUAL(helper->done, 1);
	CHECK_EQUAL(helper->message.caps, 0);
	CHECK_EQUAL(helper->message.words[0], 4);
}

static void reply_never_unwraps(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct helper *helper = caller_start(endpoint, RIGHTS_ALL);

	(void)ipc_recv(endpoint, reply);
	ipc_send_caps(reply, CAPS(endpoint), WORDS());
	settle();
	CHECK_EQUAL(helper->message.caps, 1);
	CHECK_EQUAL(helper->message.unwrapped, 0);
	CHECK_EQUAL(cap_kind(helper->argument[2]), KIND_ENDPOINT);
}

static void derivation_of_received(void) {
	struct transfer made = transfer_make();
	uint64_t other = object_new(OBJECT_ENDPOINT, 0);

	ipc_send_caps(made.endpoint, CAPS(other), WORDS());
	result_check(HERE, &made, 1, 0);
	CHECK_OK(cap_revoke(other));
	CHECK_EQUAL(cap_kind(made.slot), KIND_NULL);
}

static const struct test tests[] = {
	{"transfer-one", "a capability arrives in the receive slot", one_cap, NULL},
	{"transfer-grant", "without Grant the message arrives without capabilities", without_grant,
		NULL},
	{"transfer-unwrap", "a capability to the endpoint used arrives as its badge",
		unwrap_same_endpoint, NULL},
	{"transfer-mixed", "badges before and after one capability are unwrapped",
		unwrap_around_cap, NULL},
	{"transfer-second", "a second capability ends the transfer", second_cap_stops, NULL},
	{"transfer-null", "an empty item ends the transfer", null_item_stops, NULL},
	{"transfer-underived", "a capability that cannot be copied ends the transfer",
		underived_stops, NULL},
	{"transfer-occupied", "an occupied receive slot takes nothing, the words arrive",
		slot_occupied, NULL},
	{"transfer-root", "a receive root that is no CNode takes nothing", receive_root_bad, NULL},
	{"transfer-depth", "a receive depth of 65 takes nothing", receive_depth_bad, NULL},
	{"transfer-late", "the receive slot is read when the sender arrives", receive_fields_late,
		NULL},
	{"transfer-waited", "a sender that waited transfers when received", sender_waited, NULL},
	{"transfer-gone", "a capability deleted while its sender waits does not arrive",
		sender_cap_gone, NULL},
	{"transfer-unresolved", "an extra capability that leads nowhere faults with its address",
		address_unresolved, NULL},
	{"transfer-reply", "a reply transfers by the Reply capability's Grant", reply_grants, NULL},
	{"transfer-reply-no", "a Reply capability without Grant transfers nothing",
		reply_without_grant, NULL},
	{"transfer-reply-wrap", "a reply never unwraps", reply_never_unwraps, NULL},
	{"transfer-derived", "a received capability descends from the sent one's original",
		derivation_of_received, NULL},
};

TEST_FILE(transfer);
