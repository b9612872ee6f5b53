// SPDX-License-Identifier: BSD-2-Clause
// Time in TSC ticks, and the one-shot timer of this core.
#pragma once

#include <cpu/acpi.h>

struct cpu;

// Determines the TSC's rate, by all counters and stated rates, and sets up the timer. option_hertz:
// a rate given by the user, or 0. Returns TSC ticks a second, or 0 after a message with what is
// missing. Boot only.
uint64_t clock_init(const struct acpi_facts *acpi, uint64_t option_hertz);

// The timer of a core that is not the first: as that one's. False if it does not work.
[[nodiscard]] bool clock_join(const struct cpu *first);

// Ticks since reset. Never runs backwards on a core.
uint64_t clock_now(void);

// Whole TSC ticks a microsecond: the factor between the API's microseconds and ticks
// (BOOT-16), measured at boot.
uint64_t clock_ticks_per_us(void);

// The timer interrupt comes at deadline (absolute ticks) or before, at once if that has passed. An
// earlier deadline is kept: an interrupt without work is cheaper than a write of the timer at every
// switch.
void clock_set_deadline(uint64_t deadline);

// The timer interrupt arrived: there is no deadline any more, and the next one must be set.
void clock_expired(void);

// The TSC's rate in hertz, by all that counts or states it, or 0 (rate.c): measures, compares with
// what CPU and hypervisor state, and prints what comes of it. apic: ticks of the APIC's timer a TSC
// tick, 32.32 fixed point; 0: unknown.
uint64_t rate_find(const struct acpi_facts *acpi, uint64_t option_hertz, uint64_t *apic);
