// SPDX-License-Identifier: BSD-2-Clause
// Counts the blocks of code that run: how long the kernel takes, whatever the machine.
#include "test.h"

static uint64_t steps;

// The compiler calls it at the start of each block but those of this file.
void __sanitizer_cov_trace_pc(void);

[[gnu::no_sanitize_coverage]] void __sanitizer_cov_trace_pc(void) { steps++; }

uint64_t steps_taken(void) {
	uint64_t taken = steps;

	steps = 0;
	return taken;
}
