// SPDX-License-Identifier: BSD-2-Clause
// What does it cost to copy, mint, move and delete capabilities, and to revoke many at once?
#include "bench.h"

static const seL4_CNode cnode = seL4_CapInitThreadCNode;

static void copy_measure(const struct row *) {
	uint64_t source = object_new(OBJECT_ENDPOINT, 0);

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t slot = slot_take();
		uint64_t start = ticks_begin();
		uint64_t error = seL4_CNode_Copy(
			cnode, slot, seL4_WordBits, cnode, source, seL4_WordBits, seL4_AllRights);
		uint64_t end = ticks_end();

		CHECK_EQUAL(error, seL4_NoError);
		sample_add(end - start);
	}
}

static void mint_measure(const struct row *) {
	uint64_t source = object_new(OBJECT_ENDPOINT, 0);

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t slot = slot_take();
		uint64_t start = ticks_begin();
		uint64_t error = seL4_CNode_Mint(cnode, slot, seL4_WordBits, cnode, source,
			seL4_WordBits, seL4_AllRights, 1);
		uint64_t end = ticks_end();

		CHECK_EQUAL(error, seL4_NoError);
		sample_add(end - start);
	}
}

static void move_measure(const struct row *) {
	uint64_t from = object_new(OBJECT_ENDPOINT, 0);
	uint64_t to = slot_take();

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t start = ticks_begin();
		uint64_t error = seL4_CNode_Move(
			cnode, to, seL4_WordBits, cnode, from, seL4_WordBits);
		uint64_t end = ticks_end();
		uint64_t next = from;

		CHECK_EQUAL(error, seL4_NoError);
		sample_add(end - start);
		from = to;
		to = next;
	}
}

static void copy_delete_measure(const struct row *) {
	uint64_t source = object_new(OBJECT_ENDPOINT, 0);

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t slot = cap_copy(source);
		uint64_t start = ticks_begin();
		uint64_t error = seL4_CNode_Delete(cnode, slot, seL4_WordBits);
		uint64_t end = ticks_end();

		CHECK_EQUAL(error, seL4_NoError);
		sample_add(end - start);
	}
}

// Badged copies are children of the original; each round revokes row->setting of them.
static void revoke_measure(const struct row *row) {
	uint64_t source = object_new(OBJECT_ENDPOINT, 0);
	uint64_t children = slot_take();
	unsigned rounds = row->setting > 100 ? ROUNDS_LONG : ROUNDS_FEW;

	for (uint64_t child = 1; child < row->setting; child++)
		(void)slot_take();
	for (unsigned round = 0; round < rounds; round++) {
		uint64_t start;
		uint64_t error;
		uint64_t end;

		for (uint64_t child = 0; child < row->setting; child++)
			CHECK_EQUAL(seL4_CNode_Mint(cnode, children + child, seL4_WordBits, cnode,
					    source, seL4_WordBits, seL4_AllRights, 1),
				seL4_NoError);
		start = ticks_begin();
		error = seL4_CNode_Revoke(cnode, source, seL4_WordBits);
		end = ticks_end();
		CHECK_EQUAL(error, seL4_NoError);
		sample_add(end - start);
	}
}

static const struct row rows[] = {
	{"cap-copy", copy_measure, 0},
	{"cap-mint", mint_measure, 0},
	{"cap-move", move_measure, 0},
	{"cap-delete", copy_delete_measure, 0},
	{"cap-revoke-1", revoke_measure, 1},
	{"cap-revoke-10", revoke_measure, 10},
	{"cap-revoke-100", revoke_measure, 100},
	{"cap-revoke-1000", revoke_measure, 1000},
};

ROW_FILE(capability);
