// SPDX-License-Identifier: BSD-2-Clause
// Counts the blocks of code that run: how long the kernel takes, whatever the machine.
#include "test.h"

static uint64_t steps;

// The compiler calls it at the start of each block; this file is compiled without such calls.
void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void) { steps++; }

uint64_t steps_taken(void) {
	uint64_t taken = steps;

	steps = 0;
	return taken;
}
