// SPDX-License-Identifier: BSD-2-Clause
// What does Yield cost, alone at a priority and with an equal thread that takes over?
#include "bench.h"

// Alone, a thread returns from its own Yield; of two, each returns when the other yields.
static void yield_run(struct helper *helper) {
	(void)helper;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {0};
		uint64_t end;

		begun_at = ticks();
		sel4_syscall(SYSCALL_YIELD, &registers);
		end = ticks();
		sample_add(end - begun_at);
	}
}

static void yield_measure(const struct row *row) {
	for (uint64_t thread = 0; thread < row->setting; thread++)
		helper_start(helper_make(PRIORITY_HELPER), yield_run);
	settle();
}

static const struct row rows[] = {
	{"yield-alone", "ticks", yield_measure, 1},
	{"yield-to-equal", "ticks", yield_measure, 2},
};

ROW_FILE(schedule);
