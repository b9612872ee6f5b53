// SPDX-License-Identifier: BSD-2-Clause
// Conversions between time and ticks, with the largest value where the result does not fit.
#include <drivers/timer/ticks.h>

#define FEMTOSECONDS_PER_NANOSECOND 1000000ul
#define NANOSECONDS_PER_SECOND 1000000000ul
#define MICROSECONDS_PER_SECOND 1000000ul

uint64_t ticks_of(const struct tick_range *range, uint64_t nanoseconds) {
	uint64_t ticks;

	if (nanoseconds >= range->most * range->period / FEMTOSECONDS_PER_NANOSECOND)
		return range->most;
	ticks = nanoseconds * FEMTOSECONDS_PER_NANOSECOND / range->period;
	return ticks < range->least ? range->least : ticks;
}

uint64_t ticks_to_nanoseconds(uint64_t ticks, uint64_t hertz) {
	uint64_t seconds = ticks / hertz;
	uint64_t rest = ticks % hertz * NANOSECONDS_PER_SECOND / hertz;

	if (seconds >= UINT64_MAX / NANOSECONDS_PER_SECOND) return UINT64_MAX;
	return seconds * NANOSECONDS_PER_SECOND + rest;
}

uint64_t ticks_after(uint64_t now, uint64_t microseconds, uint64_t hertz) {
	uint64_t rest = microseconds % MICROSECONDS_PER_SECOND;
	uint64_t ticks;

	// Rounded up: never early.
	rest = (rest * hertz + MICROSECONDS_PER_SECOND - 1) / MICROSECONDS_PER_SECOND;
	if (__builtin_mul_overflow(microseconds / MICROSECONDS_PER_SECOND, hertz, &ticks) ||
		__builtin_add_overflow(ticks, rest, &ticks) ||
		__builtin_add_overflow(now, ticks, &ticks))
		return UINT64_MAX;
	return ticks;
}
