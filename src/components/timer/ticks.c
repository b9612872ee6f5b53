// SPDX-License-Identifier: BSD-2-Clause
// Conversions between time and ticks, with the largest value where the result does not fit.
#include <components/timer/ticks.h>

#define FEMTOSECONDS_PER_NANOSECOND 1000000ul
#define NANOSECONDS_PER_MICROSECOND 1000ul

uint64_t ticks_of(const struct tick_range *range, uint64_t nanoseconds) {
	uint64_t ticks;

	if (nanoseconds >= range->most * range->period / FEMTOSECONDS_PER_NANOSECOND)
		return range->most;
	ticks = nanoseconds * FEMTOSECONDS_PER_NANOSECOND / range->period;
	return ticks < range->least ? range->least : ticks;
}

uint64_t ticks_to_nanoseconds(uint64_t ticks, uint64_t ticks_per_microsecond) {
	uint64_t microseconds = ticks / ticks_per_microsecond;
	uint64_t rest = ticks % ticks_per_microsecond * NANOSECONDS_PER_MICROSECOND;

	if (microseconds >= UINT64_MAX / NANOSECONDS_PER_MICROSECOND) return UINT64_MAX;
	return microseconds * NANOSECONDS_PER_MICROSECOND + rest / ticks_per_microsecond;
}

uint64_t ticks_after(uint64_t now, uint64_t microseconds, uint64_t ticks_per_microsecond) {
	uint64_t ticks;

	if (__builtin_mul_overflow(microseconds, ticks_per_microsecond, &ticks) ||
		__builtin_add_overflow(now, ticks, &ticks))
		return UINT64_MAX;
	return ticks;
}
