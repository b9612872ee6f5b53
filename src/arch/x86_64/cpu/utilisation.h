// SPDX-License-Identifier: BSD-2-Clause
// What the benchmark build counts, of a thread and of a core (kernel/benchmark.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Ticks of the clock, and numbers, in the order of abi/benchmark.h.
struct utilisation {
	uint64_t cycles, schedules, kernel_cycles, kernel_entries;
};

struct benchmark {
	struct utilisation total; // but for the cycles: from start to end
	uint64_t start, end;
	uint64_t switched; // since when the current thread is that
	uint64_t entered; // when the kernel was entered; 0: it is left
	bool is_on;
};
