// SPDX-License-Identifier: BSD-2-Clause
// Tests: what devices may reach, as far as capabilities say it (DMA-1 to DMA-9).
#include "io_space.h"

enum { IO_ADDRESS = 0x40000000, PAGE = 1 << PAGE_BITS };

static bool is_there(void) { return io_levels() != 0; }

void io_space_require(void) {
	if (!is_there()) test_skip("no unit that remaps DMA");
}

uint64_t io_levels(void) {
	uint64_t levels = world.bootinfo->iopt_levels;

	return levels == ~0ul ? 0 : levels;
}

static struct message mint(uint64_t source, uint64_t slot, uint64_t data) {
	return invoke(ROOT_SLOT_CNODE, LABEL_CNODE_MINT, CAPS(ROOT_SLOT_CNODE),
		WORDS(slot, DEPTH, source, DEPTH, RIGHTS_ALL, data));
}

uint64_t io_space_make(uint64_t device, uint64_t domain) {
	uint64_t slot = slot_take();

	CHECK_OK(mint(ROOT_SLOT_IO_SPACE, slot, domain << IO_SPACE_DOMAIN_SHIFT | device));
	return slot;
}

struct message io_table_map(uint64_t table, uint64_t space, uint64_t address) {
	return invoke(table, LABEL_IO_PAGE_TABLE_MAP, CAPS(space), WORDS(address));
}

struct message io_frame_map(uint64_t frame, uint64_t space, uint64_t rights, uint64_t address) {
	return invoke(frame, LABEL_FRAME_MAP_IO, CAPS(space), WORDS(rights, address));
}

uint64_t io_tables_make(uint64_t space, uint64_t address) {
	uint64_t first = 0;

	for (uint64_t i = 0; i < io_levels(); i++) {
		uint64_t table = object_new(OBJECT_IO_PAGE_TABLE, 0);

		CHECK_OK(io_table_map(table, space, address));
		if (i == 0) first = table;
	}
	return first;
}

static void master(void) {
	bool is_null = cap_kind(ROOT_SLOT_IO_SPACE) == KIND_NULL;

	CHECK_EQUAL(cap_kind(ROOT_SLOT_IO_SPACE), is_there() ? KIND_IO_SPACE : KIND_NULL);
	CHECK(io_levels() <= 6);
	if (is_null)
		CHECK_ERROR(invoke(ROOT_SLOT_IO_SPACE, LABEL_IO_PAGE_TABLE_MAP, CAPS(), WORDS(0)),
			ERROR_INVALID_CAPABILITY, 0);
	else
		CHECK_ERROR(invoke(ROOT_SLOT_IO_SPACE, LABEL_IO_PAGE_TABLE_MAP, CAPS(), WORDS(0)),
			ERROR_ILLEGAL_OPERATION);
}

static void frame_mapped(void) {
	uint64_t frame = object_new(OBJECT_PAGE, 0);

	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ));
	CHECK_ERROR(invoke(frame, LABEL_FRAME_MAP_IO, CAPS(ROOT_SLOT_IO_SPACE), WORDS(3, 0)),
		ERROR_INVALID_CAPABILITY, 0);
}

static void mint_none(void) {
	if (is_there()) test_skip("there is a unit that remaps DMA");
	CHECK_ERROR(mint(ROOT_SLOT_IO_SPACE, slot_take(), 0x10008), ERROR_FAILED_LOOKUP, 1,
		LOOKUP_MISSING_CAPABILITY, 64);
}

static void mint_refused(void) {
	uint64_t space, copy, slot;

	io_space_require();
	space = io_space_make(NO_DEVICE, IO_DOMAIN);
	slot = slot_take();
	CHECK_ERROR(mint(ROOT_SLOT_IO_SPACE, slot, NO_DEVICE), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(mint(space, slot, IO_DOMAIN << IO_SPACE_DOMAIN_SHIFT | NO_DEVICE),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(ROOT_SLOT_CNODE, LABEL_CNODE_MUTATE, CAPS(ROOT_SLOT_CNODE),
			    WORDS(slot, DEPTH, space, DEPTH, 0)),
		ERROR_ILLEGAL_OPERATION);
	copy = cap_copy(space);
	CHECK_EQUAL(cap_kind(copy), KIND_IO_SPACE);
	// A space comes from the master, and its copies from it.
	CHECK_OK(cap_revoke(space));
	CHECK_EQUAL(cap_kind(copy), KIND_NULL);
	CHECK_OK(cap_revoke(ROOT_SLOT_IO_SPACE));
	CHECK_EQUAL(cap_kind(space), KIND_NULL);
}

static void table_errors(void) {
	uint64_t space, table, other;

	io_space_require();
	space = io_space_make(NO_DEVICE, IO_DOMAIN);
	table = object_new(OBJECT_IO_PAGE_TABLE, 0);
	other = object_new(OBJECT_IO_PAGE_TABLE, 0);
	CHECK_ERROR(invoke(table, LABEL_FRAME_UNMAP, CAPS(), WORDS()), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(table, LABEL_IO_PAGE_TABLE_MAP, CAPS(space), WORDS()),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(
		invoke(table, LABEL_IO_PAGE_TABLE_MAP, CAPS(), WORDS(0)), ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(io_table_map(table, ROOT_SLOT_SPACE, 0), ERROR_INVALID_CAPABILITY, 0);
	CHECK_ERROR(io_table_map(table, ROOT_SLOT_IO_SPACE, 0), ERROR_INVALID_CAPABILITY, 0);
	CHECK_ERROR(io_table_map(table, space, 1ul << 60), ERROR_INVALID_ARGUMENT, 0);
	CHECK_OK(io_table_map(table, space, IO_ADDRESS));
	CHECK_ERROR(io_table_map(table, space, IO_ADDRESS), ERROR_INVALID_CAPABILITY, 0);
	for (uint64_t i = 1; i < io_levels(); i++)
		CHECK_OK(io_table_map(object_new(OBJECT_IO_PAGE_TABLE, 0), space, IO_ADDRESS));
	CHECK_ERROR(io_table_map(other, space, IO_ADDRESS + PAGE), ERROR_DELETE_FIRST);
	CHECK_OK(io_table_map(other, space, IO_ADDRESS + (2 << 20)));
}

static void frame_errors(void) {
	uint64_t space, frame, other;

	io_space_require();
	space = io_space_make(NO_DEVICE, IO_DOMAIN);
	frame = object_new(OBJECT_PAGE, 0);
	other = object_new(OBJECT_PAGE, 0);
	CHECK_ERROR(io_frame_map(frame, ROOT_SLOT_IO_SPACE, 3, 0), ERROR_INVALID_CAPABILITY, 0);
	CHECK_ERROR(io_frame_map(frame, space, 3, 1ul << 60), ERROR_INVALID_ARGUMENT, 1);
	for (uint64_t i = 0; i < io_levels(); i++) {
		CHECK_EQUAL(io_frame_map(frame, space, 3, IO_ADDRESS).label, ERROR_FAILED_LOOKUP);
		CHECK_OK(io_table_map(object_new(OBJECT_IO_PAGE_TABLE, 0), space, IO_ADDRESS));
	}
	CHECK_ERROR(io_frame_map(frame, space, 0, IO_ADDRESS), ERROR_INVALID_ARGUMENT, 0);
	CHECK_ERROR(io_frame_map(frame, space, RIGHT_WRITE, IO_ADDRESS), ERROR_INVALID_ARGUMENT, 0);
	CHECK_OK(io_frame_map(frame, space, RIGHT_READ, IO_ADDRESS + 17));
	CHECK_ERROR(io_frame_map(frame, space, 3, IO_ADDRESS), ERROR_INVALID_CAPABILITY, 0);
	CHECK_ERROR(io_frame_map(other, space, 0, IO_ADDRESS), ERROR_DELETE_FIRST);
	CHECK_OK(io_frame_map(other, space, 3, IO_ADDRESS + PAGE));
	// Elsewhere it is as good as mapped, too.
	CHECK_ERROR(frame_map(frame, ROOT_SLOT_SPACE, IO_ADDRESS, 3), ERROR_INVALID_CAPABILITY, 1);
	CHECK_OK(invoke(frame, LABEL_FRAME_UNMAP, CAPS(), WORDS()));
	CHECK_OK(io_frame_map(frame, space, 3, IO_ADDRESS));
}

static void large_frame(void) {
	uint64_t space, frame, page;
	struct message answer;

	io_space_require();
	space = io_space_make(NO_DEVICE, IO_DOMAIN);
	frame = object_new(OBJECT_LARGE_PAGE, 0);
	page = object_new(OBJECT_PAGE, 0);
	for (uint64_t i = 1; i < io_levels(); i++)
		CHECK_OK(io_table_map(object_new(OBJECT_IO_PAGE_TABLE, 0), space, IO_ADDRESS));
	answer = io_frame_map(frame, space, 3, IO_ADDRESS);
	if (answer.label == ERROR_INVALID_CAPABILITY) test_skip("the unit has no large pages");
	CHECK_OK(answer);
	CHECK_ERROR(io_table_map(object_new(OBJECT_IO_PAGE_TABLE, 0), space, IO_ADDRESS),
		ERROR_DELETE_FIRST);
	CHECK_EQUAL(io_frame_map(page, space, 3, IO_ADDRESS).label, ERROR_FAILED_LOOKUP);
	CHECK_OK(invoke(frame, LABEL_FRAME_UNMAP, CAPS(), WORDS()));
	CHECK_ERROR(io_frame_map(frame, space, 3, IO_ADDRESS + PAGE), ERROR_ALIGNMENT);
	CHECK_OK(io_table_map(object_new(OBJECT_IO_PAGE_TABLE, 0), space, IO_ADDRESS));
	CHECK_OK(io_frame_map(page, space, 3, IO_ADDRESS));
	CHECK_ERROR(io_frame_map(frame, space, 3, IO_ADDRESS), ERROR_DELETE_FIRST);
}

// What is below a table that is unmapped is unreachable, though its capability still says mapped.
static void table_unmap(void) {
	uint64_t space, tables, last, frame, copy;

	io_space_require();
	space = io_space_make(NO_DEVICE, IO_DOMAIN);
	frame = object_new(OBJECT_PAGE, 0);
	tables = io_tables_make(space, IO_ADDRESS);
	last = tables + io_levels() - 1;
	CHECK_OK(io_frame_map(frame, space, 3, IO_ADDRESS));
	copy = cap_copy(last);
	CHECK_ERROR(invoke(last, LABEL_IO_PAGE_TABLE_UNMAP, CAPS(), WORDS()), ERROR_REVOKE_FIRST);
	CHECK_OK(cap_delete(copy));
	CHECK_OK(invoke(last, LABEL_IO_PAGE_TABLE_UNMAP, CAPS(), WORDS()));
	CHECK_OK(invoke(last, LABEL_IO_PAGE_TABLE_UNMAP, CAPS(), WORDS()));
	CHECK_OK(invoke(frame, LABEL_FRAME_UNMAP, CAPS(), WORDS()));
	CHECK_OK(io_table_map(last, space, IO_ADDRESS));
	CHECK_OK(io_frame_map(frame, space, 3, IO_ADDRESS));
	// Without its root the device has nothing; the next table is the root.
	CHECK_OK(cap_delete(tables));
	CHECK_OK(invoke(frame, LABEL_FRAME_UNMAP, CAPS(), WORDS()));
	CHECK_OK(io_table_map(object_new(OBJECT_IO_PAGE_TABLE, 0), space, 0));
	CHECK_EQUAL(io_frame_map(frame, space, 3, IO_ADDRESS).label, ERROR_FAILED_LOOKUP);
}

static void space_gone(void) {
	uint64_t space, frame = object_new(OBJECT_PAGE, 0);

	io_space_require();
	space = io_space_make(NO_DEVICE, IO_DOMAIN);
	(void)io_tables_make(space, IO_ADDRESS);
	CHECK_OK(io_frame_map(frame, space, 3, IO_ADDRESS));
	CHECK_OK(cap_delete(space));
	space = io_space_make(NO_DEVICE, IO_DOMAIN + 1);
	CHECK_OK(invoke(frame, LABEL_FRAME_UNMAP, CAPS(), WORDS()));
	CHECK_EQUAL(io_frame_map(frame, space, 3, IO_ADDRESS).label, ERROR_FAILED_LOOKUP);
}

static const struct test tests[] = {
	{"io-space-master", "the master capability is there if a unit remaps DMA", master, NULL},
	{"io-space-mapped", "a mapped frame is not mapped for a device", frame_mapped,
		"X86PageMapIO/3"},
	{"io-space-mint", "without one there is no IOSpace to mint", mint_none, NULL},
	{"io-space-refused",
		"only the master is minted, with a domain, and its spaces are its children",
		mint_refused, NULL},
	{"io-space-table", "tables go from the root down, one each call", table_errors,
		"X86IOPageTableMap/0 X86IOPageTableMap/1 X86IOPageTableMap/2 X86IOPageTableMap/3 "
		"X86IOPageTableMap/4 X86IOPageTableMap/5 X86IOPageTableMap/7"},
	{"io-space-frame", "MapIO refuses in the documented order", frame_errors,
		"X86PageMapIO/0 X86PageMapIO/5 X86PageMapIO/6 X86PageMapIO/7 X86PageMapIO/8"},
	{"io-space-large", "a 2 MiB frame is mapped where the unit has such pages", large_frame,
		NULL},
	{"io-space-unmap", "a table that goes takes what is below with it", table_unmap,
		"X86IOPageTableUnmap/0"},
	{"io-space-gone", "with its last space a device loses its tables", space_gone, NULL},
};

TEST_FILE(io_space);
