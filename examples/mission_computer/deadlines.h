// SPDX-License-Identifier: BSD-2-Clause
// The deadlines of a periodic loop, in ticks of the time stamp counter. An iteration is released at
// the start of each period and must end before the next one. Pure.
#pragma once

#include <stdint.h>

// One writer; others may read it while it changes.
struct deadlines {
	uint64_t period;
	uint64_t release; // of the next iteration
	uint64_t iterations; // that have ended
	uint64_t missed; // periods in which none ended
	uint64_t latest; // most ticks from a release to the start of its iteration
	uint64_t longest; // most ticks from the start of an iteration to its end
};

static inline void deadlines_start(struct deadlines *deadlines, uint64_t period, uint64_t now) {
	*deadlines = (struct deadlines){.period = period, .release = now + period};
}

// Periods that are over at `now` without an iteration that ended in them, since the last that did.
static inline uint64_t deadlines_overdue(const struct deadlines *deadlines, uint64_t now) {
	return now < deadlines->release ? 0 : (now - deadlines->release) / deadlines->period;
}

// An iteration ran from `start`, which is not before its release, to `end`. One that ends in a
// later period is that period's, and the periods before it are missed.
static inline void deadlines_ran(struct deadlines *deadlines, uint64_t start, uint64_t end) {
	uint64_t late = start - deadlines->release;
	uint64_t length = end - start;
	uint64_t overdue = deadlines_overdue(deadlines, end);

	if (late > deadlines->latest) deadlines->latest = late;
	if (length > deadlines->longest) deadlines->longest = length;
	deadlines->iterations++;
	deadlines->missed += overdue;
	deadlines->release += (overdue + 1) * deadlines->period;
}
