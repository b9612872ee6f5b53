// SPDX-License-Identifier: BSD-2-Clause
// Conversions between time and the ticks of counters. Results that do not fit become the largest.
// Pure.
#pragma once

#include <stdint.h>

// A counter that can interrupt after between `least` and `most` ticks.
struct tick_range {
	uint64_t period; // femtoseconds a tick
	uint64_t least;
	uint64_t most; // at most 2^30, and the period at most 10^9, so that products fit
};

// Ticks in a time, not less than the least and not more than the most.
uint64_t ticks_of(const struct tick_range *range, uint64_t nanoseconds);

// A time of `ticks` at this many ticks a second, which is below 2^34.
uint64_t ticks_to_nanoseconds(uint64_t ticks, uint64_t hertz);

// The counter's value this many microseconds after `now`.
uint64_t ticks_after(uint64_t now, uint64_t microseconds, uint64_t hertz);
