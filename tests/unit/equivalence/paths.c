// SPDX-License-Identifier: BSD-2-Clause
// A hash of the blocks that reported.
#include "paths.h"

static uint64_t path; // 0 between two system calls

void __sanitizer_cov_trace_pc(void);

// Called by each block (GCC, -fsanitize-coverage=trace-pc).
void __sanitizer_cov_trace_pc(void) {
	path = (path + (uint64_t)__builtin_return_address(0)) * 0x9e3779b97f4a7c15ul;
}

uint64_t path_take(void) {
	uint64_t taken = path;

	path = 0;
	return taken;
}
