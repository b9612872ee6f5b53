// SPDX-License-Identifier: BSD-2-Clause
// What does it cost to map a 4 KiB page, to change its rights and to unmap it?
#include "bench.h"

enum step { MAP, RESTRICT, UNMAP, STEPS };

static uint64_t step_run(uint64_t step, seL4_CPtr frame) {
	seL4_CPtr space = seL4_CapInitThreadVSpace;

	if (step == UNMAP) return seL4_X86_Page_Unmap(frame);
	if (step == MAP)
		return seL4_X86_Page_Map(
			frame, space, TEST_ADDRESS, seL4_ReadWrite, seL4_X86_Default_VMAttributes);
	return seL4_X86_Page_Map(
		frame, space, TEST_ADDRESS, seL4_CanRead, seL4_X86_Default_VMAttributes);
}

static void mapping_measure(const struct row *row) {
	seL4_CPtr frame = object_new(OBJECT_PAGE, 0);

	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (uint64_t step = MAP; step < STEPS; step++) {
			uint64_t start = ticks();
			uint64_t error = step_run(step, frame);
			uint64_t end = ticks();

			CHECK_EQUAL(error, seL4_NoError);
			if (step == row->setting) sample_add(end - start);
		}
	}
}

static const struct row rows[] = {
	{"page-map", "ticks", mapping_measure, MAP},
	{"page-rights", "ticks", mapping_measure, RESTRICT},
	{"page-unmap", "ticks", mapping_measure, UNMAP},
};

ROW_FILE(mapping);
