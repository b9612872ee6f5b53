// SPDX-License-Identifier: BSD-2-Clause
// Tests: guest-physical address spaces: tables, frames and every refusal (MEM-1 to MEM-23).
#include "world.h"

struct level {
	uint64_t type;
	uint64_t map;
	uint64_t unmap;
	uint64_t missing[2]; // bits left of the levels above, highest first; 0: none
};

static const struct level levels[] = {
	{OBJECT_EPT_PDPT, LABEL_EPT_PDPT_MAP, LABEL_EPT_PDPT_UNMAP, {0, 0}},
	{OBJECT_EPT_PD, LABEL_EPT_PD_MAP, LABEL_EPT_PD_UNMAP, {39, 0}},
	{OBJECT_EPT_PT, LABEL_EPT_PT_MAP, LABEL_EPT_PT_UNMAP, {39, 30}},
};

enum { LEVELS = 3, WRITE_BACK = 6, GUEST_ADDRESS = 0x40000000 };

static uint64_t guest_space(void) {
	uint64_t space = object_new(OBJECT_EPT_PML4, 0);

	CHECK_OK(invoke(ROOT_SLOT_ASID_POOL, LABEL_ASID_POOL_ASSIGN, CAPS(space), WORDS()));
	return space;
}

// The first `count` levels at GUEST_ADDRESS.
static void guest_tables(uint64_t space, unsigned count) {
	for (unsigned index = 0; index < count; index++)
		CHECK_OK(table_map(object_new(levels[index].type, 0), levels[index].map, space,
			GUEST_ADDRESS));
}

static struct message frame_map_guest(uint64_t frame, uint64_t space, uint64_t address) {
	return invoke(frame, LABEL_FRAME_MAP_EPT, CAPS(space),
		WORDS(address, RIGHT_READ | RIGHT_WRITE, WRITE_BACK));
}

// True where a large page with code could stop the CPU: there a large frame wants a page table, and
// takes all of it.
static bool large_is_split(void) {
	uint64_t space = guest_space();
	struct message answer;

	guest_tables(space, 2);
	answer = frame_map_guest(object_new(OBJECT_LARGE_PAGE, 0), space, GUEST_ADDRESS);
	if (answer.label == ERROR_NONE) return false;
	CHECK_ERROR(answer, ERROR_FAILED_LOOKUP, 0, LOOKUP_MISSING_CAPABILITY, LARGE_PAGE_BITS);
	return true;
}

static void labels(void) {
	uint64_t space = guest_space();

	for (unsigned index = 0; index < LEVELS; index++) {
		uint64_t table = object_new(levels[index].type, 0);

		CHECK_ERROR(invoke(table, 0, CAPS(space), WORDS(0, 0)), ERROR_ILLEGAL_OPERATION);
		CHECK_ERROR(invoke(table, LABEL_PDPT_MAP, CAPS(space), WORDS(0, 0)),
			ERROR_ILLEGAL_OPERATION);
		CHECK_ERROR(invoke(table, levels[index].map, CAPS(space), WORDS(0)),
			ERROR_TRUNCATED_MESSAGE);
		CHECK_ERROR(invoke(table, levels[index].map, CAPS(), WORDS(0, 0)),
			ERROR_TRUNCATED_MESSAGE);
	}
	CHECK_ERROR(invoke(space, LABEL_EPT_PDPT_MAP, CAPS(space), WORDS(0, 0)),
		ERROR_ILLEGAL_OPERATION);
}

static void wrong_spaces(void) {
	for (unsigned index = 0; index < LEVELS; index++) {
		uint64_t table = object_new(levels[index].type, 0);

		CHECK_ERROR(table_map(table, levels[index].map, ROOT_SLOT_SPACE, 0),
			ERROR_INVALID_CAPABILITY, 1);
		CHECK_ERROR(table_map(table, levels[index].map, ROOT_SLOT_TCB, 0),
			ERROR_INVALID_CAPABILITY, 1);
		CHECK_ERROR(table_map(table, levels[index].map, NULL_CAP, 0),
			ERROR_INVALID_CAPABILITY, 1);
	}
	CHECK_ERROR(frame_map_guest(object_new(OBJECT_PAGE, 0), ROOT_SLOT_SPACE, 0),
		ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(frame_map(object_new(OBJECT_PAGE, 0), guest_space(), 0, RIGHT_READ),
		ERROR_INVALID_CAPABILITY, 1);
}

static void without_asid(void) {
	uint64_t space = object_new(OBJECT_EPT_PML4, 0);

	CHECK_ERROR(table_map(object_new(OBJECT_EPT_PDPT, 0), LABEL_EPT_PDPT_MAP, space, 0),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_INVALID_ROOT);
	CHECK_ERROR(table_map(object_new(OBJECT_EPT_PD, 0), LABEL_EPT_PD_MAP, space, 0),
		ERROR_FAILED_LOOKUP, 0, LOOKUP_INVALID_ROOT);
	CHECK_ERROR(table_map(object_new(OBJECT_EPT_PT, 0), LABEL_EPT_PT_MAP, space, 0),
		ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(
		frame_map_guest(object_new(OBJECT_PAGE, 0), space, 0), ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(invoke(object_new(OBJECT_TCB, 0), LABEL_TCB_SET_EPT_ROOT, CAPS(space), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
			    WORDS(slot_take(), DEPTH, space, DEPTH, RIGHTS_ALL)),
		ERROR_ILLEGAL_OPERATION);
}

static void missing_levels(void) {
	uint64_t space = guest_space();

	for (unsigned present = 0; present < LEVELS; present++) {
		static const uint64_t bits[] = {39, 30, 21};

		for (unsigned index = present + 1; index < LEVELS; index++)
			CHECK_ERROR(table_map(object_new(levels[index].type, 0), levels[index].map,
					    space, GUEST_ADDRESS),
				ERROR_FAILED_LOOKUP, 0, LOOKUP_MISSING_CAPABILITY, bits[present]);
		CHECK_ERROR(frame_map_guest(object_new(OBJECT_PAGE, 0), space, GUEST_ADDRESS),
			ERROR_FAILED_LOOKUP, 0, LOOKUP_MISSING_CAPABILITY, bits[present]);
		CHECK_OK(table_map(object_new(levels[present].type, 0), levels[present].map, space,
			GUEST_ADDRESS + 0x123));
	}
	CHECK_OK(frame_map_guest(object_new(OBJECT_PAGE, 0), space, GUEST_ADDRESS));
}

static void occupied(void) {
	uint64_t space = guest_space();
	uint64_t frame = object_new(OBJECT_PAGE, 0);

	guest_tables(space, LEVELS);
	for (unsigned index = 0; index < LEVELS; index++)
		CHECK_ERROR(table_map(object_new(levels[index].type, 0), levels[index].map, space,
				    GUEST_ADDRESS),
			ERROR_DELETE_FIRST);
	CHECK_OK(frame_map_guest(frame, space, GUEST_ADDRESS));
	CHECK_ERROR(frame_map_guest(object_new(OBJECT_LARGE_PAGE, 0), space, GUEST_ADDRESS),
		ERROR_DELETE_FIRST);
	CHECK_ERROR(frame_map_guest(object_new(OBJECT_PAGE, 0), space, GUEST_ADDRESS),
		ERROR_DELETE_FIRST);
}

static void large_in_the_way(void) {
	uint64_t space = guest_space();

	guest_tables(space, large_is_split() ? 3 : 2);
	CHECK_OK(frame_map_guest(object_new(OBJECT_LARGE_PAGE, 0), space, GUEST_ADDRESS));
	CHECK_ERROR(table_map(object_new(OBJECT_EPT_PT, 0), LABEL_EPT_PT_MAP, space, GUEST_ADDRESS),
		ERROR_DELETE_FIRST);
}

static void split(void) {
	const uint64_t last = GUEST_ADDRESS + (1ul << LARGE_PAGE_BITS) - (1ul << PAGE_BITS);
	uint64_t space = guest_space();
	uint64_t large = object_new(OBJECT_LARGE_PAGE, 0);
	uint64_t page = object_new(OBJECT_PAGE, 0);

	if (!large_is_split()) test_skip("this CPU may have large pages with code");
	guest_tables(space, LEVELS);
	CHECK_OK(frame_map_guest(page, space, last));
	CHECK_ERROR(frame_map_guest(large, space, GUEST_ADDRESS), ERROR_DELETE_FIRST);
	CHECK_OK(frame_unmap(page));
	CHECK_OK(frame_map_guest(large, space, GUEST_ADDRESS));
	CHECK_ERROR(frame_map_guest(page, space, last), ERROR_DELETE_FIRST);
	CHECK_OK(frame_unmap(large));
	CHECK_OK(frame_map_guest(page, space, last));
	CHECK_OK(frame_unmap(page));
	CHECK_OK(frame_map_guest(large, space, GUEST_ADDRESS));
	CHECK_OK(cap_delete(large));
	CHECK_OK(frame_map_guest(page, space, last));
}

static void mapped_once(void) {
	uint64_t space = guest_space();
	uint64_t other = guest_space();
	uint64_t frame = object_new(OBJECT_PAGE, 0);

	for (unsigned index = 0; index < LEVELS; index++) {
		uint64_t table = object_new(levels[index].type, 0);
		uint64_t copy;

		CHECK_ERROR(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_COPY, CAPS(ROOT_SLOT_CNODE),
				    WORDS(slot_take(), DEPTH, table, DEPTH, RIGHTS_ALL)),
			ERROR_ILLEGAL_OPERATION);
		CHECK_OK(table_map(table, levels[index].map, space, GUEST_ADDRESS));
		CHECK_ERROR(table_map(table, levels[index].map, other, GUEST_ADDRESS),
			ERROR_INVALID_CAPABILITY, 0);
		copy = cap_copy(table);
		CHECK_ERROR(
			invoke(table, levels[index].unmap, CAPS(), WORDS()), ERROR_REVOKE_FIRST);
		CHECK_OK(cap_delete(copy));
	}
	CHECK_OK(frame_map_guest(frame, space, GUEST_ADDRESS));
	CHECK_ERROR(frame_map_guest(frame, space, GUEST_ADDRESS), ERROR_INVALID_CAPABILITY, 0);
	CHECK_OK(frame_unmap(frame));
	CHECK_OK(frame_map_guest(frame, space, GUEST_ADDRESS + 0x1000));
}

static void unmapped_again(void) {
	uint64_t space = guest_space();

	guest_tables(space, LEVELS);
	for (unsigned index = 0; index < LEVELS; index++) {
		static const uint64_t other[] = {1ul << 39, 0x80000000, GUEST_ADDRESS + 0x200000};
		uint64_t table = object_new(levels[index].type, 0);

		CHECK_OK(invoke(table, levels[index].unmap, CAPS(), WORDS()));
		CHECK_OK(table_map(table, levels[index].map, space, other[index]));
		CHECK_OK(invoke(table, levels[index].unmap, CAPS(), WORDS()));
		CHECK_OK(table_map(table, levels[index].map, space, other[index]));
	}
}

static void one_mapping_a_frame(void) {
	uint64_t space = guest_space();
	uint64_t frame = object_new(OBJECT_PAGE, 0);

	guest_tables(space, LEVELS);
	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	CHECK_OK(frame_map_guest(frame, space, GUEST_ADDRESS));
	CHECK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ).label != ERROR_NONE);
	CHECK_OK(frame_unmap(frame));
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ));
	CHECK_ERROR(frame_map_guest(frame, space, GUEST_ADDRESS), ERROR_INVALID_CAPABILITY, 0);
}

static void alignment(void) {
	uint64_t space = guest_space();

	guest_tables(space, large_is_split() ? 3 : 2);
	CHECK_ERROR(
		frame_map_guest(object_new(OBJECT_LARGE_PAGE, 0), space, GUEST_ADDRESS + 0x1000),
		ERROR_ALIGNMENT);
	// Bits below a page are dropped.
	CHECK_OK(frame_map_guest(object_new(OBJECT_LARGE_PAGE, 0), space, GUEST_ADDRESS + 0x123));
}

static void attributes(void) {
	uint64_t space = guest_space();
	uint64_t frame = object_new(OBJECT_PAGE, 0);

	guest_tables(space, LEVELS);
	for (uint64_t attribute = 0; attribute < 9; attribute++) {
		CHECK_OK(invoke(frame, LABEL_FRAME_MAP_EPT, CAPS(space),
			WORDS(GUEST_ADDRESS, RIGHT_READ, attribute)));
		CHECK_OK(frame_unmap(frame));
	}
}

static void pool_make(uint64_t pool) {
	CHECK_OK(invoke(ROOT_SLOT_ASID_CONTROL, LABEL_ASID_CONTROL_MAKE_POOL,
		CAPS(object_new(OBJECT_UNTYPED, ASID_POOL_BITS), ROOT_SLOT_CNODE),
		WORDS(pool, DEPTH)));
}

static void stale_asid(void) {
	uint64_t pool = slot_take();
	uint64_t space = object_new(OBJECT_EPT_PML4, 0);
	uint64_t next = object_new(OBJECT_EPT_PML4, 0);

	pool_make(pool);
	CHECK_OK(invoke(pool, LABEL_ASID_POOL_ASSIGN, CAPS(space), WORDS()));
	CHECK_OK(cap_delete(pool));
	for (unsigned index = 0; index < LEVELS; index++)
		CHECK_ERROR(
			table_map(object_new(levels[index].type, 0), levels[index].map, space, 0),
			ERROR_FAILED_LOOKUP, 0, LOOKUP_INVALID_ROOT);
	CHECK_ERROR(frame_map_guest(object_new(OBJECT_PAGE, 0), space, 0), ERROR_FAILED_LOOKUP, 0,
		LOOKUP_INVALID_ROOT);
	pool_make(pool);
	CHECK_OK(invoke(pool, LABEL_ASID_POOL_ASSIGN, CAPS(next), WORDS()));
	for (unsigned index = 0; index < LEVELS; index++)
		CHECK_ERROR(
			table_map(object_new(levels[index].type, 0), levels[index].map, space, 0),
			ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(
		frame_map_guest(object_new(OBJECT_PAGE, 0), space, 0), ERROR_INVALID_CAPABILITY, 1);
}

static void root_of_thread(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	uint64_t space = guest_space();

	CHECK_OK(invoke(tcb, LABEL_TCB_SET_EPT_ROOT, CAPS(space), WORDS()));
	CHECK_OK(invoke(tcb, LABEL_TCB_SET_EPT_ROOT, CAPS(guest_space()), WORDS()));
	CHECK_ERROR(invoke(object_new(OBJECT_TCB, 0), LABEL_TCB_CONFIGURE,
			    CAPS(ROOT_SLOT_CNODE, space, NULL_CAP), WORDS(0, 0, 0)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(ROOT_SLOT_ASID_POOL, LABEL_ASID_POOL_ASSIGN, CAPS(space), WORDS()),
		ERROR_INVALID_CAPABILITY, 1);
}

static const struct test tests[] = {
	{"ept-label", "EPT tables know their own operations", labels,
		"X86EPTPDPTMap/1 X86EPTPDPTMap/2 X86EPTPDMap/1 X86EPTPDMap/2 X86EPTPTMap/1 "
		"X86EPTPTMap/2"},
	{"ept-space", "EPT tables go into EPT spaces, others do not", wrong_spaces,
		"X86EPTPDPTMap/4 X86EPTPDMap/4 X86EPTPTMap/4 X86PageMapEPT/3"},
	{"ept-no-asid", "an EPT space without ASID is useless", without_asid,
		"X86EPTPDPTMap/5 X86EPTPDMap/5 X86EPTPTMap/4 X86PageMapEPT/3 TCBSetEPTRoot/3"},
	{"ept-missing", "the highest missing level is reported", missing_levels,
		"X86EPTPDPTMap/0 X86EPTPDMap/0 X86EPTPTMap/0 X86EPTPDMap/7 X86EPTPTMap/7 "
		"X86PageMapEPT/7 X86PageMapEPT/0"},
	{"ept-occupied", "nothing replaces what is mapped", occupied,
		"X86EPTPDPTMap/7 X86EPTPDMap/8 X86EPTPTMap/8 X86PageMapEPT/8"},
	{"ept-large", "a table does not replace a large page", large_in_the_way, "X86EPTPTMap/8"},
	{"ept-split", "a large frame fills a page table where the CPU wants it so, and leaves it",
		split, "X86PageMapEPT/7 X86PageMapEPT/8"},
	{"ept-once", "tables and frames are mapped once, and shared tables stay", mapped_once,
		"X86EPTPDPTMap/3 X86EPTPDMap/3 X86EPTPTMap/3 X86PageMapEPT/2 X86EPTPDPTUnmap/1 "
		"X86EPTPDUnmap/1 X86EPTPTUnmap/1"},
	{"ept-unmap", "unmapped tables can be mapped elsewhere", unmapped_again,
		"X86EPTPDPTUnmap/0 X86EPTPDUnmap/0 X86EPTPTUnmap/0"},
	{"ept-one-mapping", "a frame is mapped for a guest or for a thread, not both",
		one_mapping_a_frame, "X86PageMapEPT/2"},
	{"ept-alignment", "a large page wants an aligned guest address", alignment,
		"X86PageMapEPT/6"},
	{"ept-attributes", "every memory type is accepted", attributes, NULL},
	{"ept-stale", "an EPT space whose ASID is gone takes no mapping", stale_asid,
		"X86EPTPDPTMap/5 X86EPTPDPTMap/6 X86EPTPDMap/5 X86EPTPDMap/6 X86EPTPTMap/5 "
		"X86EPTPTMap/6 X86PageMapEPT/4 X86PageMapEPT/5"},
	{"ept-root", "SetEPTRoot takes an EPT space with ASID", root_of_thread, "TCBSetEPTRoot/0"},
};

TEST_FILE(ept);
