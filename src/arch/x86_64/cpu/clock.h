// SPDX-License-Identifier: BSD-2-Clause
// Time in TSC ticks, and the one-shot timer of this core.
#pragma once

#include <stdint.h>

// Measures the TSC's rate against the PIT, or the ACPI PM timer at timer_port (0: none), and sets
// up the timer. Boot only.
void clock_init(uint16_t timer_port);

// Ticks since reset. Never runs backwards on a core.
uint64_t clock_now(void);

// Whole TSC ticks a microsecond: the factor between the API's microseconds and ticks
// (semantics.md G1), measured at boot.
uint64_t clock_ticks_per_us(void);

// The timer interrupt comes at deadline (absolute ticks) or before, at once if that has passed. An
// earlier deadline stays as it is: an interrupt that finds nothing to do is cheaper than a write of
// the timer at every switch.
void clock_set_deadline(uint64_t deadline);

// The deadline set last: a guest must not run past it.
uint64_t clock_deadline(void);

// The timer interrupt arrived: the deadline is used up, and the next one must be set.
void clock_expired(void);
