// SPDX-License-Identifier: BSD-2-Clause
// Tests: how capability addresses are resolved, seen by threads with CSpaces of their own.
#include "world.h"

struct cspace_case {
	struct helper *helper;
	uint64_t endpoint; // receives the helper's faults
	uint64_t reply;
	uint64_t notification;
	uint64_t badged; // the same with badge 0x42
	uint64_t root; // radix 8, no guard
};

static void cnode_insert(uint64_t cnode, uint64_t index, uint64_t depth, uint64_t source) {
	CHECK_OK(invoke(cnode, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
		WORDS(index, depth, source, DEPTH, RIGHTS_ALL)));
}

static void cspace_set(const struct cspace_case *made, uint64_t root, uint64_t data) {
	CHECK_OK(invoke(made->helper->tcb, LABEL_TCB_SET_SPACE,
		CAPS(made->endpoint, root, ROOT_SLOT_SPACE), WORDS(data, 0)));
}

static struct cspace_case cspace_case_make(void) {
	struct cspace_case made = {
		.helper = helper_make(PRIORITY_HELPER),
		.endpoint = object_new(OBJECT_ENDPOINT, 0),
		.reply = object_new(OBJECT_REPLY, 0),
		.notification = object_new(OBJECT_NOTIFICATION, 0),
		.root = object_new(OBJECT_CNODE, 8),
	};

	made.badged = cap_mint(made.notification, RIGHTS_ALL, 0x42);
	cspace_set(&made, made.root, 0);
	return made;
}

static void call_address(struct helper *helper) {
	helper->message = ipc_call(helper->argument[0], LABEL_CNODE_REVOKE, WORDS(0, 0));
}

static void signal_address(struct helper *helper) { ipc_signal(helper->argument[0]); }

// The helper uses the address; its fault, or label 0 when it came through.
static struct message use_address(
	const struct cspace_case *made, void (*use)(struct helper *), uint64_t address) {
	struct message none = {.label = FAULT_NONE};
	struct message fault;

	made->helper->argument[0] = address;
	helper_start(made->helper, use);
	settle();
	if (made->helper->done) return none;
	fault = ipc_nb_recv(made->endpoint, made->reply);
	CHECK_EQUAL(fault.label, FAULT_CAP);
	CHECK_EQUAL(fault.words[1], address);
	CHECK_EQUAL(fault.words[2], 0);
	return fault;
}

static void fault_words_check(struct place place, const struct message *fault, struct words words) {
	check_equal(place, "fault length", fault->length, words.count + 3);
	for (unsigned index = 0; index < words.count; index++)
		check_equal(place, "fault word", fault->words[index + 3], words.items[index]);
}

static void two_levels(void) {
	struct cspace_case made = cspace_case_make();
	uint64_t second = cnode_make(8, 0x123456, 48);

	cnode_insert(second, (uint64_t)0x123456 << 8 | 5, 56, made.badged);
	cnode_insert(made.root, 1, 8, second);
	CHECK_EQUAL(use_address(&made, signal_address, 1ul << 56 | 0x123456ul << 8 | 5).label,
		FAULT_NONE);
	CHECK_EQUAL(ipc_nb_wait(made.notification).badge, 0x42);
}

static void guard_mismatch(void) {
	struct cspace_case made = cspace_case_make();
	uint64_t second = cnode_make(8, 0x123456, 48);
	struct message fault;

	cnode_insert(made.root, 1, 8, second);
	fault = use_address(&made, signal_address, 1ul << 56 | 0x123457ul << 8 | 5);
	fault_words_check(HERE, &fault, WORDS(LOOKUP_GUARD_MISMATCH, 56, 0x123456, 48));
}

static void depth_mismatch(void) {
	struct cspace_case made = cspace_case_make();
	uint64_t second = cnode_make(8, 0, 52);
	struct message fault;

	cnode_insert(made.root, 1, 8, second);
	fault = use_address(&made, signal_address, 1ul << 56 | 5);
	fault_words_check(HERE, &fault, WORDS(LOOKUP_DEPTH_MISMATCH, 56, 60));
}

static void guard_too_long(void) {
	struct cspace_case made = cspace_case_make();
	uint64_t second = cnode_make(4, 0, 60);
	struct message fault;

	cnode_insert(made.root, 1, 8, second);
	fault = use_address(&made, signal_address, 1ul << 56);
	fault_words_check(HERE, &fault, WORDS(LOOKUP_GUARD_MISMATCH, 56, 0, 60));
}

static void bits_left_over(void) {
	struct cspace_case made = cspace_case_make();

	cnode_insert(made.root, 2, 8, made.badged);
	CHECK_EQUAL(use_address(&made, signal_address, 2ul << 56 | 0xabcdef).label, FAULT_NONE);
	CHECK_EQUAL(ipc_nb_wait(made.notification).badge, 0x42);
}

static void null_cap(void) {
	struct cspace_case made = cspace_case_make();

	CHECK_EQUAL(use_address(&made, call_address, 3ul << 56).label, FAULT_NONE);
	CHECK_EQUAL(made.helper->message.label, ERROR_INVALID_CAPABILITY);
	CHECK_EQUAL(made.helper->message.length, 1);
	CHECK_EQUAL(made.helper->message.words[0], 0);
}

static void root_gone(void) {
	struct cspace_case made = cspace_case_make();
	uint64_t untyped = object_new(OBJECT_UNTYPED, 14);
	uint64_t root = object_new_in(untyped, OBJECT_CNODE, 8);
	struct message fault;

	cspace_set(&made, root, 0);
	CHECK_OK(cap_revoke(untyped));
	fault = use_address(&made, signal_address, 0x55);
	fault_words_check(HERE, &fault, WORDS(LOOKUP_INVALID_ROOT));
}

static void root_data(void) {
	struct cspace_case made = cspace_case_make();
	struct message fault;

	cnode_insert(made.root, 7, 8, made.badged);
	cspace_set(&made, made.root, (uint64_t)0x11 << 6 | 56);
	CHECK_EQUAL(use_address(&made, signal_address, 0x11 << 8 | 7).label, FAULT_NONE);
	fault = use_address(&made, signal_address, 7);
	fault_words_check(HERE, &fault, WORDS(LOOKUP_GUARD_MISMATCH, 64, 0x11, 56));
}

static void self_reference(void) {
	struct cspace_case made = cspace_case_make();

	cnode_insert(made.root, 0, 8, made.root);
	cnode_insert(made.root, 9, 8, made.badged);
	// Seven times slot 0, then slot 9.
	CHECK_EQUAL(use_address(&made, signal_address, 9).label, FAULT_NONE);
	// Eight times slot 0 ends at the CNode itself.
	CHECK_EQUAL(use_address(&made, call_address, 0).label, FAULT_NONE);
	CHECK_EQUAL(made.helper->message.label, ERROR_RANGE);
}

static void send_to_empty(void) {
	struct cspace_case made = cspace_case_make();

	CHECK_EQUAL(use_address(&made, signal_address, 200ul << 56).label, FAULT_NONE);
}

static void nb_send_unresolved(void) {
	struct call_registers registers = {.rdi = 1ul << 50, .rsi = tag_make(0, 0, 0, 1), .r10 = 1};

	system_call(SYSCALL_NB_SEND, &registers);
	CHECK_EQUAL(registers.rdi, 1ul << 50);
	CHECK_EQUAL(registers.rsi, tag_make(0, 0, 0, 1));
}

static void root_copy(void) {
	struct cspace_case made = cspace_case_make();

	cnode_insert(made.root, 4, 8, made.badged);
	CHECK_OK(cap_delete(made.root));
	CHECK_EQUAL(use_address(&made, signal_address, 4ul << 56).label, FAULT_NONE);
	CHECK_EQUAL(ipc_nb_wait(made.notification).badge, 0x42);
}

static const struct test tests[] = {
	{"cspace-two-levels", "an address walks through a CNode in a CNode", two_levels, NULL},
	{"cspace-guard", "a wrong guard gives bits left, guard and guard size", guard_mismatch,
		NULL},
	{"cspace-depth", "a CNode that wants too many bits gives bits left and wanted",
		depth_mismatch, NULL},
	{"cspace-guard-long", "a guard longer than the bits left is a guard mismatch",
		guard_too_long, NULL},
	{"cspace-left-over", "bits left over at another kind of capability are ignored",
		bits_left_over, NULL},
	{"cspace-null", "a Call on an empty slot answers invalid capability 0", null_cap, NULL},
	{"cspace-root-gone", "a thread whose CSpace was revoked faults with an invalid root",
		root_gone, NULL},
	{"cspace-root-data", "the data word of SetSpace sets the root's guard", root_data, NULL},
	{"cspace-self", "a CNode that contains itself is walked as often as bits last",
		self_reference, NULL},
	{"cspace-send-null", "a Send to an empty slot does nothing", send_to_empty, NULL},
	{"cspace-nb-send", "NBSend to an address that leads nowhere does nothing",
		nb_send_unresolved, NULL},
	{"cspace-root-copy", "a thread's CSpace outlives the capability it was set from", root_copy,
		NULL},
};

TEST_FILE(cspace);
