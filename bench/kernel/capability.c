// SPDX-License-Identifier: BSD-2-Clause
// What do objects and capabilities cost to make and to take away?
#include "bench.h"

static const seL4_CNode cnode = seL4_CapInitThreadCNode;

static void retype_measure(const struct row *row) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t slot = slot_take();
		uint64_t arena = world.arena;
		uint64_t start = ticks();
		uint64_t error = seL4_Untyped_Retype(arena, row->setting, 0, cnode, 0, 0, slot, 1);
		uint64_t end = ticks();

		CHECK_EQUAL(error, seL4_NoError);
		sample_add(end - start);
	}
}

static void object_delete_measure(const struct row *row) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t slot = object_new(row->setting, 0);
		uint64_t start = ticks();
		uint64_t error = seL4_CNode_Delete(cnode, slot, seL4_WordBits);
		uint64_t end = ticks();

		CHECK_EQUAL(error, seL4_NoError);
		sample_add(end - start);
	}
}

static void copy_measure(const struct row *row) {
	uint64_t source = object_new(OBJECT_ENDPOINT, 0);

	(void)row;
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t slot = slot_take();
		uint64_t start = ticks();
		uint64_t error = seL4_CNode_Copy(
			cnode, slot, seL4_WordBits, cnode, source, seL4_WordBits, seL4_AllRights);
		uint64_t end = ticks();

		CHECK_EQUAL(error, seL4_NoError);
		sample_add(end - start);
	}
}

static void copy_delete_measure(const struct row *row) {
	uint64_t source = object_new(OBJECT_ENDPOINT, 0);

	(void)row;
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t slot = cap_copy(source);
		uint64_t start = ticks();
		uint64_t error = seL4_CNode_Delete(cnode, slot, seL4_WordBits);
		uint64_t end = ticks();

		CHECK_EQUAL(error, seL4_NoError);
		sample_add(end - start);
	}
}

// Badged copies are children of the original; each round revokes row->setting of them.
static void revoke_measure(const struct row *row) {
	uint64_t source = object_new(OBJECT_ENDPOINT, 0);
	uint64_t children = slot_take();

	for (uint64_t child = 1; child < row->setting; child++)
		(void)slot_take();
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t start;
		uint64_t error;
		uint64_t end;

		for (uint64_t child = 0; child < row->setting; child++)
			CHECK_EQUAL(seL4_CNode_Mint(cnode, children + child, seL4_WordBits, cnode,
					    source, seL4_WordBits, seL4_AllRights, 1),
				seL4_NoError);
		start = ticks();
		error = seL4_CNode_Revoke(cnode, source, seL4_WordBits);
		end = ticks();
		CHECK_EQUAL(error, seL4_NoError);
		sample_add(end - start);
	}
}

static const struct row rows[] = {
	{"retype-frame", "ticks", retype_measure, OBJECT_PAGE},
	{"retype-tcb", "ticks", retype_measure, OBJECT_TCB},
	{"retype-endpoint", "ticks", retype_measure, OBJECT_ENDPOINT},
	{"delete-tcb", "ticks", object_delete_measure, OBJECT_TCB},
	{"delete-endpoint", "ticks", object_delete_measure, OBJECT_ENDPOINT},
	{"cap-copy", "ticks", copy_measure, 0},
	{"cap-delete", "ticks", copy_delete_measure, 0},
	{"cap-revoke-1", "ticks", revoke_measure, 1},
	{"cap-revoke-16", "ticks", revoke_measure, 16},
};

ROW_FILE(capability);
