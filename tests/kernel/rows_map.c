// SPDX-License-Identifier: BSD-2-Clause
// Tests: rows of mapping invocations that need two formats of address space at once.
#include "world.h"

enum { GUEST_ADDRESS = 0x40000000, WRITE_BACK = 6 };

static uint64_t guest_space_with_tables(void) {
	uint64_t space = object_new(OBJECT_EPT_PML4, 0);

	CHECK_OK(invoke(ROOT_SLOT_ASID_POOL, LABEL_ASID_POOL_ASSIGN, CAPS(space), WORDS()));
	CHECK_OK(table_map(
		object_new(OBJECT_EPT_PDPT, 0), LABEL_EPT_PDPT_MAP, space, GUEST_ADDRESS));
	CHECK_OK(table_map(object_new(OBJECT_EPT_PD, 0), LABEL_EPT_PD_MAP, space, GUEST_ADDRESS));
	CHECK_OK(table_map(object_new(OBJECT_EPT_PT, 0), LABEL_EPT_PT_MAP, space, GUEST_ADDRESS));
	return space;
}

static void mapped_in_guest(void) {
	uint64_t guest = guest_space_with_tables();
	uint64_t other = space_new();
	uint64_t frame = object_new(OBJECT_PAGE, 0);
	uint64_t successor;

	tables_make(other, TEST_ADDRESS);
	CHECK_OK(invoke(frame, LABEL_FRAME_MAP_EPT, CAPS(guest),
		WORDS(GUEST_ADDRESS, RIGHT_READ | RIGHT_WRITE, WRITE_BACK)));
	CHECK_ERROR(frame_map(frame, other, TEST_ADDRESS, RIGHT_READ), ERROR_INVALID_CAPABILITY, 1);
	// The lowest free ASID is given first, so the next space reuses that of the guest space.
	CHECK_OK(cap_delete(guest));
	successor = space_new();
	CHECK_ERROR(frame_map(frame, successor, TEST_ADDRESS, RIGHT_READ), ERROR_ILLEGAL_OPERATION);
	CHECK_OK(frame_unmap(frame));
	CHECK_OK(frame_map(frame, other, TEST_ADDRESS, RIGHT_READ));
}

static const struct test tests[] = {
	{"rows-map-guest-frame",
		"a frame of a guest space is refused elsewhere, also where the ASID was reused",
		mapped_in_guest, "X86PageMap/5"},
};

TEST_FILE(rows_map);
