// SPDX-License-Identifier: BSD-2-Clause
// CNode operations: errors in the order of the ABI, then the effects.
#include "test.h"
#include "world.h"

#include <cap/object.h>
#include <string.h>

enum {
	ROOT = 200, // capability to the window of all slots, radix 12, no guard
	DEPTH = 12,
	ENDPOINT = 1,
	FRAME,
	CNODE,
	TABLE,
	EMPTY = 50,
	EMPTY_TOO,
};

static void start(void) {
	struct cap cap;

	world_start(20);
	cap = cap_make(CAP_CNODE, world.slots);
	cap.size_bits = 12;
	derive_insert_original(&world.slots[ROOT], cap, NULL);
	check(world_make(OBJECT_ENDPOINT, 0, ENDPOINT, 1) == ERROR_NONE);
	check(world_make(OBJECT_PAGE, 0, FRAME, 1) == ERROR_NONE);
	check(world_make(OBJECT_CNODE, 4, CNODE, 1) == ERROR_NONE);
	check(world_make(OBJECT_PAGE_TABLE, 0, TABLE, 1) == ERROR_NONE);
}

static struct call two(enum invocation_label label, unsigned to, unsigned from) {
	return (struct call){.slot = ROOT,
		.label = label,
		.length = 8,
		.caps = 2,
		.words = {to, DEPTH, from, DEPTH, RIGHTS_ALL},
		.cap_slots = {ROOT, ROOT}};
}

static enum error copy(unsigned to, unsigned from, uint64_t rights) {
	struct call call = two(LABEL_CNODE_COPY, to, from);

	call.words[4] = rights;
	return world_call(&call);
}

static enum error mint(unsigned to, unsigned from, uint64_t data) {
	struct call call = two(LABEL_CNODE_MINT, to, from);

	call.words[5] = data;
	return world_call(&call);
}

static enum error mutate(unsigned to, unsigned from, uint64_t data) {
	struct call call = two(LABEL_CNODE_MUTATE, to, from);

	call.words[4] = data;
	return world_call(&call);
}

static enum error one(enum invocation_label label, uint64_t index, uint64_t depth) {
	return world_call(
		&(struct call){.slot = ROOT, .label = label, .length = 2, .words = {index, depth}});
}

static bool is_lookup(enum error error, uint64_t side, uint64_t kind) {
	return error == ERROR_FAILED_LOOKUP && payload(0) == side && payload(1) == kind;
}

static void errors_of_two(void) {
	// Where there is no cnode, all depths are the same.
	static const uint64_t odd_depths[] = {DEPTH, 0, 64, 65, 1ul << 32, UINT64_MAX};
	struct call call = two(LABEL_CNODE_MINT, EMPTY, ENDPOINT);

	start();
	call.length = 1;
	check(world_call(&call) == ERROR_TRUNCATED_MESSAGE);
	call.length = 3;
	call.words[1] = 0;
	check(world_call(&call) == ERROR_RANGE && payload(0) == 1 && payload(1) == 64);
	call.words[1] = 11;
	check(is_lookup(world_call(&call), 0, LOOKUP_DEPTH_MISMATCH) && payload(3) == 12);
	call.words[1] = DEPTH;
	call.words[0] = FRAME;
	check(world_call(&call) == ERROR_TRUNCATED_MESSAGE);
	call.length = 4;
	call.caps = 0;
	check(world_call(&call) == ERROR_TRUNCATED_MESSAGE);
	call.caps = 1;
	call.cap_slots[0] = FRAME;
	check(world_call(&call) == ERROR_DELETE_FIRST);
	call.words[0] = EMPTY;
	for (unsigned i = 0; i < array_count(odd_depths); i++) {
		call.words[3] = odd_depths[i];
		check(is_lookup(world_call(&call), 1, LOOKUP_INVALID_ROOT));
	}
	call.cap_slots[0] = ROOT;
	call.words[3] = 65;
	check(world_call(&call) == ERROR_RANGE);
	call.words[3] = 16; // one level on, at an endpoint
	call.words[2] = ENDPOINT << 4;
	check(is_lookup(world_call(&call), 1, LOOKUP_DEPTH_MISMATCH) && payload(2) == 4);
	call.words[2] = CNODE << 4;
	check(is_lookup(world_call(&call), 1, LOOKUP_MISSING_CAPABILITY) && payload(2) == 16);
	call.words[2] = ENDPOINT;
	call.words[3] = DEPTH;
	check(world_call(&call) == ERROR_TRUNCATED_MESSAGE);
	call.length = 6;
	check(world_call(&call) == ERROR_NONE);
}

static void copies(void) {
	start();
	check(copy(EMPTY, TABLE, RIGHTS_ALL) == ERROR_ILLEGAL_OPERATION);
	check(copy(EMPTY, ENDPOINT, RIGHT_READ | 0x100) == ERROR_NONE);
	check(world.slots[EMPTY].cap.rights == RIGHT_READ);
	check(copy(EMPTY_TOO, EMPTY, RIGHTS_ALL) == ERROR_NONE);
	check(world.slots[EMPTY_TOO].cap.rights == RIGHT_READ);
	check(slot_revoke(&world.slots[ENDPOINT]) == ERROR_NONE);
	check(copy(EMPTY, FRAME, RIGHT_READ) == ERROR_NONE);
	check(world.slots[EMPTY].cap.rights == RIGHT_READ);
	check(copy(EMPTY_TOO, FRAME, RIGHT_WRITE) == ERROR_NONE);
	check(world.slots[EMPTY_TOO].cap.rights == 0);
	check(slot_revoke(&world.slots[FRAME]) == ERROR_NONE);
	check(copy(EMPTY, CNODE, 0) == ERROR_NONE);
	check(world.slots[EMPTY].cap.rights == RIGHTS_ALL);
}

static void data_words(void) {
	start();
	check(mint(EMPTY, ENDPOINT, 0x1234567890abcdef) == ERROR_NONE);
	check(world.slots[EMPTY].cap.badge == 0x1234567890abcdef);
	check(mint(EMPTY_TOO, EMPTY, 0) == ERROR_ILLEGAL_OPERATION);
	check(copy(EMPTY_TOO, EMPTY, RIGHTS_ALL) == ERROR_NONE);
	check(world.slots[EMPTY_TOO].cap.badge == 0x1234567890abcdef);
	check(mutate(EMPTY + 2, EMPTY, 1) == ERROR_ILLEGAL_OPERATION);
	check(slot_revoke(&world.slots[ENDPOINT]) == ERROR_NONE);
	check(mint(EMPTY, CNODE, 0xffful << 6 | 4) == ERROR_NONE);
	check(world.slots[EMPTY].cap.cnode.guard_size == 4);
	check(world.slots[EMPTY].cap.cnode.guard == 0xf);
	check(mint(EMPTY_TOO, CNODE, 61) == ERROR_ILLEGAL_OPERATION);
	check(mutate(EMPTY_TOO, CNODE, 61) == ERROR_ILLEGAL_OPERATION);
	check(mutate(EMPTY_TOO, CNODE, 5ul << 6 | 60) == ERROR_NONE);
	check(world.slots[EMPTY_TOO].cap.cnode.guard == 5);
	check(slot_is_empty(&world.slots[CNODE]));
	check(derive_has_child(&world.slots[EMPTY_TOO]));
	check(mint(EMPTY + 2, FRAME, 77) == ERROR_NONE);
}

static enum error rotate(const unsigned slots[3], uint64_t pivot_data, uint64_t source_data) {
	struct call call = two(LABEL_CNODE_ROTATE, slots[0], 0);

	call.words[2] = pivot_data;
	call.words[3] = slots[1];
	call.words[4] = DEPTH;
	call.words[5] = source_data;
	call.words[6] = slots[2];
	call.words[7] = DEPTH;
	return world_call(&call);
}

static void rotations(void) {
	struct call call = two(LABEL_CNODE_ROTATE, EMPTY, 0);
	struct cap frame;
	struct cap cnode;

	start();
	frame = world.slots[FRAME].cap;
	cnode = world.slots[CNODE].cap;
	call.length = 7;
	check(world_call(&call) == ERROR_TRUNCATED_MESSAGE);
	call.length = 8;
	call.caps = 1;
	check(world_call(&call) == ERROR_TRUNCATED_MESSAGE);
	check(rotate((unsigned[]){EMPTY, FRAME, FRAME}, 0, 0) == ERROR_ILLEGAL_OPERATION);
	check(rotate((unsigned[]){EMPTY, EMPTY, FRAME}, 0, 0) == ERROR_ILLEGAL_OPERATION);
	check(rotate((unsigned[]){ENDPOINT, FRAME, CNODE}, 0, 0) == ERROR_DELETE_FIRST);
	check(is_lookup(rotate((unsigned[]){EMPTY, FRAME, EMPTY_TOO}, 0, 0), 1, 2));
	check(payload(2) == DEPTH);
	check(is_lookup(rotate((unsigned[]){EMPTY, EMPTY_TOO, FRAME}, 0, 0), 0, 2));
	check(rotate((unsigned[]){EMPTY, FRAME, ENDPOINT}, 0, 0) == ERROR_ILLEGAL_OPERATION);
	check(rotate((unsigned[]){EMPTY, FRAME, CNODE}, 0, 61) == ERROR_ILLEGAL_OPERATION);
	check(rotate((unsigned[]){EMPTY, FRAME, CNODE}, 61, 2ul << 6 | 8) == ERROR_NONE);
	check(world.slots[EMPTY].cap.head == frame.head && slot_is_empty(&world.slots[CNODE]));
	check(world.slots[FRAME].cap.head == cnode.head);
	check(world.slots[FRAME].cap.cnode.guard == 2);
	check(rotate((unsigned[]){FRAME, EMPTY, FRAME}, 0, 0) == ERROR_NONE);
	check(world.slots[FRAME].cap.head == frame.head);
	check(world.slots[EMPTY].cap.head == cnode.head && world.slots[EMPTY].cap.word == 0);
	world_check_order();
}

static void deleting(void) {
	start();
	check(one(LABEL_CNODE_DELETE, EMPTY, DEPTH) == ERROR_NONE);
	check(one(LABEL_CNODE_REVOKE, EMPTY, DEPTH) == ERROR_NONE);
	check(one(LABEL_CNODE_DELETE, EMPTY, 0) == ERROR_RANGE);
	check(one(LABEL_CNODE_DELETE, EMPTY, 0x100 + DEPTH) == ERROR_RANGE);
	check(is_lookup(one(LABEL_CNODE_DELETE, EMPTY, 64), 0, LOOKUP_DEPTH_MISMATCH));
	check(mint(EMPTY, ENDPOINT, 9) == ERROR_NONE);
	check(one(LABEL_CNODE_REVOKE, ENDPOINT, DEPTH) == ERROR_NONE);
	check(slot_is_empty(&world.slots[EMPTY]));
	check(one(LABEL_CNODE_DELETE, CNODE, DEPTH) == ERROR_NONE);
	check(slot_is_empty(&world.slots[CNODE]));
	check(one(LABEL_CNODE_REVOKE, 0, DEPTH) == ERROR_NONE);
	check(slot_is_empty(&world.slots[ENDPOINT]) && slot_is_empty(&world.slots[TABLE]));
}

static void cancelling(void) {
	start();
	check(one(LABEL_CNODE_CANCEL_BADGED_SENDS, FRAME, DEPTH) == ERROR_ILLEGAL_OPERATION);
	check(one(LABEL_CNODE_CANCEL_BADGED_SENDS, EMPTY, DEPTH) == ERROR_ILLEGAL_OPERATION);
	check(one(LABEL_CNODE_CANCEL_BADGED_SENDS, ENDPOINT, DEPTH) == ERROR_NONE);
	check(copy(EMPTY, ENDPOINT, 7) == ERROR_NONE);
	check(one(LABEL_CNODE_CANCEL_BADGED_SENDS, EMPTY, DEPTH) == ERROR_ILLEGAL_OPERATION);
	check(mint(EMPTY_TOO, ENDPOINT, 9) == ERROR_NONE);
	check(one(LABEL_CNODE_CANCEL_BADGED_SENDS, EMPTY_TOO, DEPTH) == ERROR_NONE);
}

static const struct test rows[] = {
	{"CNODE001", "operations on two slots fail in the order of the ABI", errors_of_two},
	{"CNODE002", "copies have the rights of the mask, as their kind counts them", copies},
	{"CNODE003", "data words become badges and guards, once", data_words},
	{"CNODE004", "Rotate moves two capabilities or swaps them", rotations},
	{"CNODE005", "Delete and Revoke take exact depths and empty slots", deleting},
	{"CNODE006", "CancelBadgedSends wants an endpoint with all rights", cancelling},
};

TESTS(cnode_tests);
