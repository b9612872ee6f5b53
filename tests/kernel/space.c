// SPDX-License-Identifier: BSD-2-Clause
// Tests: paging structures of all levels: mapping, refusals, unmapping (MEM-1 to MEM-7).
#include "snippets.h"
#include "world.h"

struct level {
	uint64_t type;
	uint64_t map;
	uint64_t unmap;
	uint64_t span_bits;
	uint64_t missing; // bits left when the level above is missing; 0: none is needed
};

static const struct level levels[] = {
	{OBJECT_PDPT, LABEL_PDPT_MAP, LABEL_PDPT_UNMAP, 39, 0},
	{OBJECT_PAGE_DIRECTORY, LABEL_PAGE_DIRECTORY_MAP, LABEL_PAGE_DIRECTORY_UNMAP, 30, 39},
	{OBJECT_PAGE_TABLE, LABEL_PAGE_TABLE_MAP, LABEL_PAGE_TABLE_UNMAP, 21, 30},
};

enum { LEVELS = 3 };

static void labels(void) {
	for (unsigned index = 0; index < LEVELS; index++) {
		uint64_t table = object_new(levels[index].type, 0);

		CHECK_ERROR(invoke(table, 0, CAPS(ROOT_SLOT_SPACE), WORDS(0, 0)),
			ERROR_ILLEGAL_OPERATION);
		CHECK_ERROR(invoke(table, LABEL_FRAME_MAP, CAPS(ROOT_SLOT_SPACE), WORDS(0, 0)),
			ERROR_ILLEGAL_OPERATION);
		CHECK_ERROR(invoke(table, levels[(index + 1) % LEVELS].map, CAPS(ROOT_SLOT_SPACE),
				    WORDS(0, 0)),
			ERROR_ILLEGAL_OPERATION);
		CHECK_ERROR(invoke(table, levels[index].map, CAPS(ROOT_SLOT_SPACE), WORDS(0)),
			ERROR_TRUNCATED_MESSAGE);
		CHECK_ERROR(invoke(table, levels[index].map, CAPS(), WORDS(0, 0)),
			ERROR_TRUNCATED_MESSAGE);
	}
	CHECK_ERROR(invoke(ROOT_SLOT_SPACE, LABEL_PDPT_MAP, CAPS(ROOT_SLOT_SPACE), WORDS(0, 0)),
		ERROR_ILLEGAL_OPERATION);
}

static void arguments(void) {
	uint64_t no_asid = object_new(OBJECT_PML4, 0);
	uint64_t space = space_new();

	for (unsigned index = 0; index < LEVELS; index++) {
		uint64_t table = object_new(levels[index].type, 0);

		CHECK_ERROR(table_map(table, levels[index].map, no_asid, TEST_ADDRESS),
			ERROR_INVALID_CAPABILITY, 1);
		CHECK_ERROR(table_map(table, levels[index].map, ROOT_SLOT_TCB, TEST_ADDRESS),
			ERROR_INVALID_CAPABILITY, 1);
		CHECK_ERROR(table_map(table, levels[index].map, NULL_CAP, TEST_ADDRESS),
			ERROR_INVALID_CAPABILITY, 1);
		CHECK_ERROR(table_map(table, levels[index].map, space, 1ul << 47),
			ERROR_INVALID_ARGUMENT, 0);
		CHECK_ERROR(table_map(table, levels[index].map, space, ~0ul),
			ERROR_INVALID_ARGUMENT, 0);
	}
}

static void missing_levels(void) {
	uint64_t space = space_new();
	uint64_t directory = object_new(OBJECT_PAGE_DIRECTORY, 0);
	uint64_t table = object_new(OBJECT_PAGE_TABLE, 0);

	CHECK_ERROR(table_map(directory, LABEL_PAGE_DIRECTORY_MAP, space, TEST_ADDRESS),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_MISSING_CAPABILITY, 39);
	CHECK_ERROR(table_map(table, LABEL_PAGE_TABLE_MAP, space, TEST_ADDRESS),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_MISSING_CAPABILITY, 39);
	CHECK_OK(table_map(object_new(OBJECT_PDPT, 0), LABEL_PDPT_MAP, space, TEST_ADDRESS));
	CHECK_ERROR(table_map(table, LABEL_PAGE_TABLE_MAP, space, TEST_ADDRESS),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_MISSING_CAPABILITY, 30);
	CHECK_OK(table_map(directory, LABEL_PAGE_DIRECTORY_MAP, space, TEST_ADDRESS));
	CHECK_OK(table_map(table, LABEL_PAGE_TABLE_MAP, space, TEST_ADDRESS));
}

static void occupied(void) {
	uint64_t space = space_new();

	tables_make(space, TEST_ADDRESS);
	for (unsigned index = 0; index < LEVELS; index++)
		CHECK_ERROR(table_map(object_new(levels[index].type, 0), levels[index].map, space,
				    TEST_ADDRESS),
			ERROR_DELETE_FIRST);
}

static void occupied_by_page(void) {
	uint64_t large = object_new(OBJECT_LARGE_PAGE, 0);
	uint64_t space = space_new();

	tables_make(space, TEST_ADDRESS + (1ul << LARGE_PAGE_BITS));
	CHECK_OK(frame_map(large, space, TEST_ADDRESS, RIGHT_READ));
	CHECK_ERROR(table_map(object_new(OBJECT_PAGE_TABLE, 0), LABEL_PAGE_TABLE_MAP, space,
			    TEST_ADDRESS),
		ERROR_DELETE_FIRST);
}

static void mapped_twice(void) {
	uint64_t space = space_new();
	uint64_t other = space_new();
	uint64_t pdpt = object_new(OBJECT_PDPT, 0);
	uint64_t copy;

	CHECK_OK(table_map(pdpt, LABEL_PDPT_MAP, space, 0));
	CHECK_ERROR(table_map(pdpt, LABEL_PDPT_MAP, space, 0), ERROR_INVALID_CAPABILITY, 0);
	CHECK_ERROR(table_map(pdpt, LABEL_PDPT_MAP, other, 0), ERROR_INVALID_CAPABILITY, 0);
	copy = cap_copy(pdpt);
	CHECK_ERROR(table_map(copy, LABEL_PDPT_MAP, other, 0), ERROR_INVALID_CAPABILITY, 0);
	for (unsigned index = 1; index < LEVELS; index++) {
		uint64_t table = object_new(levels[index].type, 0);

		CHECK_OK(table_map(table, levels[index].map, space, 0));
		CHECK_ERROR(
			table_map(table, levels[index].map, other, 0), ERROR_INVALID_CAPABILITY, 0);
	}
}

static void unmap_and_again(void) {
	uint64_t space = space_new();

	tables_make(space, TEST_ADDRESS);
	for (unsigned index = 0; index < LEVELS; index++) {
		uint64_t table = object_new(levels[index].type, 0);
		uint64_t address = TEST_ADDRESS + (1ul << levels[index].span_bits);

		CHECK_OK(invoke(table, levels[index].unmap, CAPS(), WORDS()));
		CHECK_OK(table_map(table, levels[index].map, space, address + 0x12345));
		CHECK_OK(invoke(table, levels[index].unmap, CAPS(), WORDS()));
		CHECK_OK(table_map(table, levels[index].map, space, address));
	}
}

static void unmap_shared(void) {
	uint64_t space = space_new();

	for (unsigned index = 0; index < LEVELS; index++) {
		uint64_t table = object_new(levels[index].type, 0);
		uint64_t copy;

		CHECK_OK(table_map(table, levels[index].map, space, TEST_ADDRESS));
		copy = cap_copy(table);
		CHECK_ERROR(
			invoke(table, levels[index].unmap, CAPS(), WORDS()), ERROR_REVOKE_FIRST);
		CHECK_ERROR(invoke(copy, levels[index].unmap, CAPS(), WORDS()), ERROR_REVOKE_FIRST);
		CHECK_OK(cap_delete(copy));
	}
}

// A space whose ASID pool is gone; with `successor`, another space then got the same ASID.
static uint64_t space_stale(uint64_t *successor) {
	uint64_t pool = slot_take();
	uint64_t space = object_new(OBJECT_PML4, 0);

	CHECK_OK(invoke(ROOT_SLOT_ASID_CONTROL, LABEL_ASID_CONTROL_MAKE_POOL,
		CAPS(object_new(OBJECT_UNTYPED, ASID_POOL_BITS), ROOT_SLOT_CNODE),
		WORDS(pool, DEPTH)));
	CHECK_OK(invoke(pool, LABEL_ASID_POOL_ASSIGN, CAPS(space), WORDS()));
	CHECK_OK(cap_delete(pool));
	if (successor) {
		*successor = object_new(OBJECT_PML4, 0);
		CHECK_OK(invoke(ROOT_SLOT_ASID_CONTROL, LABEL_ASID_CONTROL_MAKE_POOL,
			CAPS(object_new(OBJECT_UNTYPED, ASID_POOL_BITS), ROOT_SLOT_CNODE),
			WORDS(pool, DEPTH)));
		CHECK_OK(invoke(pool, LABEL_ASID_POOL_ASSIGN, CAPS(*successor), WORDS()));
	}
	return space;
}

static void stale_asid(void) {
	uint64_t space = space_stale(NULL);

	for (unsigned index = 0; index < LEVELS; index++)
		CHECK_ERROR(table_map(object_new(levels[index].type, 0), levels[index].map, space,
				    TEST_ADDRESS),
			ERROR_FAILED_LOOKUP, 0, LOOKUP_INVALID_ROOT);
	CHECK_ERROR(frame_map(object_new(OBJECT_PAGE, 0), space, TEST_ADDRESS, RIGHT_READ),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_INVALID_ROOT);
}

static void reused_asid(void) {
	uint64_t successor;
	uint64_t space = space_stale(&successor);

	for (unsigned index = 0; index < LEVELS; index++)
		CHECK_ERROR(table_map(object_new(levels[index].type, 0), levels[index].map, space,
				    TEST_ADDRESS),
			ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(frame_map(object_new(OBJECT_PAGE, 0), space, TEST_ADDRESS, RIGHT_READ),
		ERROR_INVALID_CAPABILITY, 1);
	CHECK_OK(table_map(object_new(OBJECT_PDPT, 0), LABEL_PDPT_MAP, successor, TEST_ADDRESS));
}

static void deleted_table(void) {
	uint64_t table = object_new(OBJECT_PAGE_TABLE, 0);
	uint64_t frame = object_new(OBJECT_PAGE, 0);
	struct helper *helper;
	uint64_t faults = object_new(OBJECT_ENDPOINT, 0);

	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS + (1ul << LARGE_PAGE_BITS));
	CHECK_OK(table_map(table, LABEL_PAGE_TABLE_MAP, ROOT_SLOT_SPACE, TEST_ADDRESS));
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE));
	*(volatile uint64_t *)TEST_ADDRESS = 1;
	CHECK_OK(cap_delete(table));
	helper = helper_make(PRIORITY_HELPER);
	helper_fault_handler_set(helper, faults);
	helper_start_at(helper, code_read, TEST_ADDRESS);
	CHECK_EQUAL(ipc_recv(faults, object_new(OBJECT_REPLY, 0)).label, FAULT_VM);
	// The frame still says mapped; unmapping it finds nothing to do.
	CHECK_OK(frame_unmap(frame));
}

static void other_space_runs(void) {
	uint64_t space = space_new();
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t frame = object_new(OBJECT_PAGE, 0);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	image_map(space);
	tables_make(space, TEST_ADDRESS);
	CHECK_OK(frame_map(frame, space, TEST_ADDRESS, RIGHT_READ | RIGHT_WRITE));
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_SPACE, CAPS(endpoint, ROOT_SLOT_CNODE, space),
		WORDS(0, 0)));
	helper_start_at(helper, code_write, TEST_ADDRESS);
	CHECK_EQUAL(ipc_recv(endpoint, object_new(OBJECT_REPLY, 0)).label, FAULT_USER_EXCEPTION);
	// This space does not have the page; a copy of the frame shows what the other one wrote.
	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS + 0x40000000);
	CHECK_OK(
		frame_map(cap_copy(frame), ROOT_SLOT_SPACE, TEST_ADDRESS + 0x40000000, RIGHT_READ));
	CHECK_EQUAL(*(volatile uint64_t *)(TEST_ADDRESS + 0x40000000), 1);
}

void space_destroyed_check(uint64_t space, struct message (*destroy)(uint64_t cap), uint64_t cap) {
	static volatile uint64_t counter;
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t count;

	image_map(space);
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_SPACE, CAPS(NULL_CAP, ROOT_SLOT_CNODE, space),
		WORDS(0, 0)));
	counter = 0;
	helper_start_at(helper, code_spin, (uint64_t)&counter);
	CHECK_SOON(counter != 0);
	CHECK_OK(destroy(cap));
	count = counter;
	sleep_microseconds(3000);
	CHECK_EQUAL(counter, count);
}

static void space_deleted_under_thread(void) {
	uint64_t untyped = object_new(OBJECT_UNTYPED, 12);
	uint64_t space = object_new_in(untyped, OBJECT_PML4, 0);

	CHECK_OK(invoke(ROOT_SLOT_ASID_POOL, LABEL_ASID_POOL_ASSIGN, CAPS(space), WORDS()));
	space_destroyed_check(space, cap_revoke, untyped);
}

static const struct test tests[] = {
	{"space-label", "tables know their own operations and want two words and a space", labels,
		"X86PDPTMap/1 X86PDPTMap/2 X86PageDirectoryMap/1 X86PageDirectoryMap/2 "
		"X86PageTableMap/1 X86PageTableMap/2"},
	{"space-arguments", "tables are mapped into a PML4 with ASID below the user limit",
		arguments,
		"X86PDPTMap/4 X86PDPTMap/5 X86PageDirectoryMap/4 X86PageDirectoryMap/5 "
		"X86PageTableMap/4 X86PageTableMap/5"},
	{"space-missing", "the highest missing level is reported", missing_levels,
		"X86PageDirectoryMap/8 X86PageTableMap/8 X86PDPTMap/0 X86PageDirectoryMap/0 "
		"X86PageTableMap/0"},
	{"space-occupied", "a table does not replace a table", occupied,
		"X86PDPTMap/8 X86PageDirectoryMap/9 X86PageTableMap/9"},
	{"space-page", "a table does not replace a large page", occupied_by_page,
		"X86PageTableMap/9"},
	{"space-twice", "a mapped table is not mapped again, nor its copy", mapped_twice,
		"X86PDPTMap/3 X86PageDirectoryMap/3 X86PageTableMap/3"},
	{"space-unmap", "an unmapped table can be mapped elsewhere; addresses are rounded down",
		unmap_and_again, "X86PDPTUnmap/0 X86PageDirectoryUnmap/0 X86PageTableUnmap/0"},
	{"space-shared", "a table with two capabilities is not unmapped", unmap_shared,
		"X86PDPTUnmap/1 X86PageDirectoryUnmap/1 X86PageTableUnmap/1"},
	{"space-stale", "a space whose ASID pool was deleted takes no mapping", stale_asid,
		"X86PDPTMap/6 X86PageDirectoryMap/6 X86PageTableMap/6 X86PageMap/8"},
	{"space-reused", "a space whose ASID went to another takes no mapping", reused_asid,
		"X86PDPTMap/7 X86PageDirectoryMap/7 X86PageTableMap/7 X86PageMap/9"},
	{"space-table-gone", "deleting a table unmaps all below it at once", deleted_table, NULL},
	{"space-other", "a thread runs in an address space of its own", other_space_runs, NULL},
	{"space-gone", "a thread stops when its address space is revoked",
		space_deleted_under_thread, NULL},
};

TEST_FILE(space);
