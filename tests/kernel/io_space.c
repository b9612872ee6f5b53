// SPDX-License-Identifier: BSD-2-Clause
// Tests: IOMMU objects on a machine without one (DMA-1).
#include "world.h"

static void master_null(void) {
	CHECK(world.bootinfo->iopt_levels == 0 || world.bootinfo->iopt_levels == ~0ul);
	CHECK_EQUAL(cap_kind(ROOT_SLOT_IO_SPACE), KIND_NULL);
	CHECK_ERROR(invoke(ROOT_SLOT_IO_SPACE, LABEL_IO_PAGE_TABLE_MAP, CAPS(), WORDS(0)),
		ERROR_INVALID_CAPABILITY, 0);
}

static void frame_mapped(void) {
	uint64_t frame = object_new(OBJECT_PAGE, 0);

	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ));
	CHECK_ERROR(invoke(frame, LABEL_FRAME_MAP_IO, CAPS(ROOT_SLOT_IO_SPACE), WORDS(3, 0)),
		ERROR_INVALID_CAPABILITY, 0);
}

static void mint_master(void) {
	CHECK_ERROR(
		invoke(ROOT_SLOT_CNODE, LABEL_CNODE_MINT, CAPS(ROOT_SLOT_CNODE),
			WORDS(slot_take(), DEPTH, ROOT_SLOT_IO_SPACE, DEPTH, RIGHTS_ALL, 0x10008)),
		ERROR_FAILED_LOOKUP, 1, LOOKUP_MISSING_CAPABILITY, 64);
}

static const struct test tests[] = {
	{"io-space-null", "without an IOMMU the master capability is null", master_null, NULL},
	{"io-space-mapped", "a mapped frame is not mapped for a device", frame_mapped,
		"X86PageMapIO/3"},
	{"io-space-mint", "there is no IOSpace to mint", mint_master, NULL},
};

TEST_FILE(io_space);
