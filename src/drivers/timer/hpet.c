// SPDX-License-Identifier: BSD-2-Clause
// Timer 0 of the HPET (IA-PC HPET specification 1.0a) as a one-shot timer.
#include <drivers/timer/hpet.h>

#include <drivers/timer/ticks.h>
#include <x86/timer.h>

enum {
	CAPABILITY_LEGACY_ROUTE = 1 << 15,
	CAPABILITY_PERIOD_SHIFT = 32,
	TIMER_LEVEL = 1 << 1,
	TIMER_ENABLE = 1 << 2,
	TIMER_PERIODIC = 1 << 3,
	TIMER_32_BIT = 1 << 8,
	TIMER_FSB = 1 << 14,

	// The counter must not pass the comparator before it is written.
	MINIMUM_TICKS = 64,
	MAXIMUM_TICKS = 1 << 30,
};

// Written by hpet_init only.
static volatile uint64_t *registers;
static struct tick_range range;

static uint64_t read(unsigned offset) { return registers[offset / 8]; }

static void write(unsigned offset, uint64_t value) { registers[offset / 8] = value; }

// One-shot, by edges. The comparator has 32 bits, which are enough for the longest time and which
// every timer has.
static uint64_t configuration_wanted(void) {
	return (read(HPET_TIMER0_CONFIGURATION) &
		       ~(uint64_t)(TIMER_LEVEL | TIMER_ENABLE | TIMER_PERIODIC | TIMER_FSB)) |
		TIMER_32_BIT;
}

bool hpet_init(uint64_t vaddr) {
	uint64_t capabilities;
	uint64_t period;

	registers = (volatile uint64_t *)vaddr;
	capabilities = read(HPET_CAPABILITIES);
	period = capabilities >> CAPABILITY_PERIOD_SHIFT;
	if (period == 0 || period > HPET_PERIOD_MOST || !(capabilities & CAPABILITY_LEGACY_ROUTE))
		return false;
	range = (struct tick_range){period, MINIMUM_TICKS, MAXIMUM_TICKS};
	write(HPET_TIMER0_CONFIGURATION, configuration_wanted());
	write(HPET_TIMER0_COMPARATOR, (uint32_t)(read(HPET_COUNTER) + MAXIMUM_TICKS));
	write(HPET_CONFIGURATION, read(HPET_CONFIGURATION) | HPET_ENABLE | HPET_LEGACY_ROUTE);
	write(HPET_TIMER0_CONFIGURATION, configuration_wanted() | TIMER_ENABLE);
	return true;
}

void hpet_arm(uint64_t nanoseconds) {
	uint64_t ticks = ticks_of(&range, nanoseconds);
	uint32_t target;

	for (;; ticks *= 2) {
		target = (uint32_t)(read(HPET_COUNTER) + ticks);
		write(HPET_TIMER0_COMPARATOR, target);
		// Passed already: the match may have been missed, so set a later one.
		if ((int32_t)(target - (uint32_t)read(HPET_COUNTER)) > 0) return;
	}
}
