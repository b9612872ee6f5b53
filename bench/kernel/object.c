// SPDX-License-Identifier: BSD-2-Clause
// What does it cost to create and to delete objects of each kind and size?
#include "bench.h"

static const seL4_CNode cnode = seL4_CapInitThreadCNode;

// A row's setting: type, and size for the types that want one.
#define SIZED(type, size_bits) ((type) | (size_bits) << 8)
enum { TYPE_MASK = 0xff, SIZE_SHIFT = 8 };

// False where the kernel makes no such object on this machine.
static _Bool is_available(uint64_t type, uint64_t size_bits) {
	uint64_t error = retype_one(world.arena, type, size_bits, slot_take()).label;

	if (error == ERROR_ILLEGAL_OPERATION) row_skip("this machine has no VT-x");
	return error != ERROR_ILLEGAL_OPERATION;
}

static void retype_take(uint64_t untyped, uint64_t setting, uint64_t slot) {
	uint64_t type = setting & TYPE_MASK;
	uint64_t size_bits = setting >> SIZE_SHIFT;
	uint64_t start = ticks_begin();
	uint64_t error = seL4_Untyped_Retype(untyped, type, size_bits, cnode, 0, 0, slot, 1);
	uint64_t end = ticks_end();

	CHECK_EQUAL(error, seL4_NoError);
	sample_add(end - start);
}

// One object after the other.
static void retype_measure(const struct row *row) {
	if (!is_available(row->setting & TYPE_MASK, row->setting >> SIZE_SHIFT)) return;
	for (unsigned round = 0; round < ROUNDS; round++)
		retype_take(world.arena, row->setting, slot_take());
}

// Large ones in the same place, whose memory the kernel clears each time.
static void retype_again(uint64_t untyped, const struct row *row, unsigned rounds) {
	uint64_t slot = slot_take();

	for (unsigned round = 0; round < rounds; round++) {
		retype_take(untyped, row->setting, slot);
		CHECK_OK(cap_delete(slot));
	}
}

static void retype_large_measure(const struct row *row) {
	retype_again(object_new(OBJECT_UNTYPED, LARGE_PAGE_BITS), row, ROUNDS_LONG);
}

static void retype_huge_measure(const struct row *row) {
	uint64_t untyped = untyped_find(HUGE_PAGE_BITS, 0);

	if (untyped == NULL_CAP) {
		row_skip("this machine has no GiB of memory in one piece");
		return;
	}
	// Its 134 million writes take an emulator seconds: one round.
	samples_keep_first();
	retype_again(untyped, row, 1);
}

static void delete_measure(const struct row *row) {
	uint64_t type = row->setting & TYPE_MASK;
	uint64_t size_bits = row->setting >> SIZE_SHIFT;

	if (!is_available(type, size_bits)) return;
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t slot = object_new(type, size_bits);
		uint64_t start = ticks_begin();
		uint64_t error = seL4_CNode_Delete(cnode, slot, seL4_WordBits);
		uint64_t end = ticks_end();

		CHECK_EQUAL(error, seL4_NoError);
		sample_add(end - start);
	}
}

static const struct row rows[] = {
	{"retype-untyped", retype_measure, SIZED(OBJECT_UNTYPED, PAGE_BITS)},
	{"retype-endpoint", retype_measure, OBJECT_ENDPOINT},
	{"retype-notification", retype_measure, OBJECT_NOTIFICATION},
	{"retype-reply", retype_measure, OBJECT_REPLY},
	{"retype-sched-context", retype_measure, SIZED(OBJECT_SCHED_CONTEXT, 8)},
	{"retype-tcb", retype_measure, OBJECT_TCB},
	{"retype-cnode-16", retype_measure, SIZED(OBJECT_CNODE, 4)},
	{"retype-cnode-256", retype_measure, SIZED(OBJECT_CNODE, 8)},
	{"retype-space", retype_measure, OBJECT_PML4},
	{"retype-pdpt", retype_measure, OBJECT_PDPT},
	{"retype-page-directory", retype_measure, OBJECT_PAGE_DIRECTORY},
	{"retype-page-table", retype_measure, OBJECT_PAGE_TABLE},
	{"retype-frame", retype_measure, OBJECT_PAGE},
	{"retype-large-frame", retype_large_measure, OBJECT_LARGE_PAGE},
	{"retype-huge-frame", retype_huge_measure, OBJECT_HUGE_PAGE},
	{"retype-vcpu", retype_measure, OBJECT_VCPU},
	{"retype-ept-space", retype_measure, OBJECT_EPT_PML4},
	{"retype-ept-pdpt", retype_measure, OBJECT_EPT_PDPT},
	{"retype-ept-pd", retype_measure, OBJECT_EPT_PD},
	{"retype-ept-pt", retype_measure, OBJECT_EPT_PT},
	{"delete-untyped", delete_measure, SIZED(OBJECT_UNTYPED, PAGE_BITS)},
	{"delete-endpoint", delete_measure, OBJECT_ENDPOINT},
	{"delete-notification", delete_measure, OBJECT_NOTIFICATION},
	{"delete-reply", delete_measure, OBJECT_REPLY},
	{"delete-sched-context", delete_measure, SIZED(OBJECT_SCHED_CONTEXT, 8)},
	{"delete-tcb", delete_measure, OBJECT_TCB},
	{"delete-cnode-16", delete_measure, SIZED(OBJECT_CNODE, 4)},
	{"delete-cnode-256", delete_measure, SIZED(OBJECT_CNODE, 8)},
	{"delete-frame", delete_measure, OBJECT_PAGE},
	{"delete-page-table", delete_measure, OBJECT_PAGE_TABLE},
	{"delete-vcpu", delete_measure, OBJECT_VCPU},
};

ROW_FILE(object);
