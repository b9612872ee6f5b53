// SPDX-License-Identifier: BSD-2-Clause
// What does it cost to map a frame or table of each size, to change a frame's rights, and to unmap
// both?
#include <real_guest.h>
#include "bench.h"

enum kind {
	PAGE,
	LARGE_PAGE,
	HUGE_PAGE,
	TABLE_PT,
	TABLE_PD,
	TABLE_PDPT,
	EPT_PAGE,
	EPT_TABLE_PT,
};

enum step { MAP, RESTRICT, UNMAP, STEPS };

// A row's setting.
#define STEP_OF(kind, step) ((kind) << 2 | (step))
enum { STEP_MASK = 3, KIND_SHIFT = 2 };

// Addresses at which the tables of TEST_ADDRESS leave the place free.
static const struct kind_row {
	uint64_t type;
	uint64_t map;
	uint64_t unmap;
	uint64_t address;
	uint64_t length; // words of a map: a frame has rights
	uint64_t attributes;
} kinds[] = {
	[PAGE] = {OBJECT_PAGE, LABEL_FRAME_MAP, LABEL_FRAME_UNMAP, TEST_ADDRESS, 3, 0},
	[LARGE_PAGE] = {OBJECT_LARGE_PAGE, LABEL_FRAME_MAP, LABEL_FRAME_UNMAP,
		TEST_ADDRESS + (1ul << 21), 3, 0},
	[HUGE_PAGE] = {OBJECT_HUGE_PAGE, LABEL_FRAME_MAP, LABEL_FRAME_UNMAP,
		TEST_ADDRESS + (1ul << 30), 3, 0},
	[TABLE_PT] = {OBJECT_PAGE_TABLE, LABEL_PAGE_TABLE_MAP, LABEL_PAGE_TABLE_UNMAP,
		TEST_ADDRESS + (1ul << 21), 2, 0},
	[TABLE_PD] = {OBJECT_PAGE_DIRECTORY, LABEL_PAGE_DIRECTORY_MAP, LABEL_PAGE_DIRECTORY_UNMAP,
		TEST_ADDRESS + (1ul << 30), 2, 0},
	[TABLE_PDPT] = {OBJECT_PDPT, LABEL_PDPT_MAP, LABEL_PDPT_UNMAP, TEST_ADDRESS + (1ul << 39),
		2, 0},
	[EPT_PAGE] = {OBJECT_PAGE, LABEL_FRAME_MAP_EPT, LABEL_FRAME_UNMAP, 0, 3,
		seL4_X86_EPT_Default_VMAttributes},
	[EPT_TABLE_PT] = {OBJECT_EPT_PT, LABEL_EPT_PT_MAP, LABEL_EPT_PT_UNMAP, 1ul << 21, 2, 0},
};

__attribute__((always_inline)) static inline uint64_t step_run(
	uint64_t step, const struct kind_row *kind, seL4_CPtr cap, seL4_CPtr space) {
	struct sel4_invocation call = {.label = kind->map,
		.caps = 1,
		.length = kind->length,
		.words = {kind->address, kind->length == 3 ? RIGHT_READ : kind->attributes,
			kind->attributes}};
	struct sel4_invocation unmap = {.label = kind->unmap};

	if (step == UNMAP) return sel4_invoke(cap, &unmap);
	if (step == MAP && kind->length == 3) call.words[1] |= RIGHT_WRITE;
	seL4_SetCap(0, space);
	return sel4_invoke(cap, &call);
}

// A frame to map where there is one: device memory need not be cleared.
static uint64_t huge_frame(void) {
	uint64_t untyped = untyped_find(HUGE_PAGE_BITS, 1);

	if (untyped != NULL_CAP) return object_new_in(untyped, OBJECT_HUGE_PAGE, 0);
	row_skip("this machine has no GiB of device addresses in one piece");
	return NULL_CAP;
}

__attribute__((always_inline)) static inline void steps_run(
	const struct row *row, enum kind kind, seL4_CPtr space, seL4_CPtr cap) {
	uint64_t wanted = row->setting & STEP_MASK;

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (uint64_t step = MAP; step < STEPS; step++) {
			uint64_t start;
			uint64_t error;
			uint64_t end;

			if (step == RESTRICT && wanted != RESTRICT) continue;
			start = ticks_begin();
			error = step_run(step, &kinds[kind], cap, space);
			end = ticks_end();
			CHECK_EQUAL(error, seL4_NoError);
			if (step == wanted) sample_add(end - start);
		}
	}
}

// The kind is known when this is compiled, as it is to who uses the stubs.
static void page_measure(const struct row *row) {
	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	steps_run(row, PAGE, seL4_CapInitThreadVSpace, object_new(OBJECT_PAGE, 0));
}

static void native_measure(const struct row *row) {
	enum kind kind = (enum kind)(row->setting >> KIND_SHIFT);
	seL4_CPtr cap = kind == HUGE_PAGE ? huge_frame() : object_new(kinds[kind].type, 0);

	if (cap == NULL_CAP) return;
	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	steps_run(row, kind, seL4_CapInitThreadVSpace, cap);
	// It is not of the arena, which is emptied when the row is over.
	if (kind == HUGE_PAGE) CHECK_OK(cap_delete(cap));
}

static void guest_measure(const struct row *row) {
	enum kind kind = (enum kind)(row->setting >> KIND_SHIFT);

	steps_run(row, kind, guest_space_new(), object_new(kinds[kind].type, 0));
}

static const struct row rows[] = {
	{"page-map", page_measure, STEP_OF(PAGE, MAP)},
	{"page-rights", page_measure, STEP_OF(PAGE, RESTRICT)},
	{"page-unmap", page_measure, STEP_OF(PAGE, UNMAP)},
	{"large-page-map", native_measure, STEP_OF(LARGE_PAGE, MAP)},
	{"large-page-unmap", native_measure, STEP_OF(LARGE_PAGE, UNMAP)},
	{"huge-page-map", native_measure, STEP_OF(HUGE_PAGE, MAP)},
	{"huge-page-unmap", native_measure, STEP_OF(HUGE_PAGE, UNMAP)},
	{"page-table-map", native_measure, STEP_OF(TABLE_PT, MAP)},
	{"page-table-unmap", native_measure, STEP_OF(TABLE_PT, UNMAP)},
	{"page-directory-map", native_measure, STEP_OF(TABLE_PD, MAP)},
	{"page-directory-unmap", native_measure, STEP_OF(TABLE_PD, UNMAP)},
	{"pdpt-map", native_measure, STEP_OF(TABLE_PDPT, MAP)},
	{"pdpt-unmap", native_measure, STEP_OF(TABLE_PDPT, UNMAP)},
	{"ept-page-map", guest_measure, STEP_OF(EPT_PAGE, MAP)},
	{"ept-page-unmap", guest_measure, STEP_OF(EPT_PAGE, UNMAP)},
	{"ept-pt-map", guest_measure, STEP_OF(EPT_TABLE_PT, MAP)},
	{"ept-pt-unmap", guest_measure, STEP_OF(EPT_TABLE_PT, UNMAP)},
};

ROW_FILE(mapping);
