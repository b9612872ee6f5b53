// SPDX-License-Identifier: BSD-2-Clause
// The guest's clock: the host's time-stamp counter seen through the guest's offset.
#pragma once

#include <stdint.h>

struct clock {
	uint64_t (*read)(void); // host time-stamp counter
	uint64_t hertz;
	uint64_t offset; // guest TSC = host TSC + offset, modulo 2^64
};

#define CLOCK_NEVER UINT64_MAX

// The guest's time-stamp counter now.
static inline uint64_t clock_now(const struct clock *clock) {
	return clock->read() + clock->offset;
}

// So many units of 1/rate second in ticks: whole seconds and the rest, so that no product is too
// wide where count has 42 bits at most.
static inline uint64_t clock_ticks(const struct clock *clock, uint64_t count, uint64_t rate) {
	return count / rate * clock->hertz + count % rate * clock->hertz / rate;
}

// CPUID reports the rate of the crystal in 32 bits, so a fast TSC runs at 2^shift times that rate.
static inline unsigned clock_crystal_shift(uint64_t hertz) {
	unsigned shift = 0;

	while (hertz >> shift > UINT32_MAX)
		shift++;
	return shift;
}

// The host's counter at a moment given in guest ticks.
static inline uint64_t clock_to_host(const struct clock *clock, uint64_t guest) {
	return guest - clock->offset;
}
