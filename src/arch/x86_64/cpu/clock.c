// SPDX-License-Identifier: BSD-2-Clause
// The TSC measured at boot, and deadlines on top of the local APIC's timer.
#include <cpu/clock.h>

#include <cpu/apic.h>
#include <cpu/console.h>
#include <cpu/features.h>
#include <cpu/msr.h>
#include <cpu/percpu.h>

enum { DEADLINE_TRY_RATE = 10000 };

#define NO_DEADLINE (~0ul)
#define MICROSECONDS 1000000ul
#define COUNT_MAX 0xfffffffful

// Written by clock_init only. ratio: APIC timer ticks a TSC tick, 32.32 fixed point; 0: the timer
// is in TSC-deadline mode.
static uint64_t ticks_per_us;
static uint64_t ratio;

uint64_t clock_now(void) { return tsc_read(); }

uint64_t clock_ticks_per_us(void) { return ticks_per_us; }

// Some CPUs need newer microcode for it than they have.
static bool deadline_works(uint64_t hertz) {
	uint64_t now = tsc_read(), deadline = now + hertz / DEADLINE_TRY_RATE;
	bool has_come;

	apic_timer_use_deadline();
	if (!msr_try_write(MSR_TSC_DEADLINE, deadline)) return false;
	do {
		has_come = apic_timer_is_pending();
		now = tsc_read();
	} while (!has_come && now < deadline + hertz);
	return has_come && now >= deadline;
}

uint64_t clock_init(const struct acpi_facts *acpi, uint64_t option_hertz) {
	struct rates rates = rates_find(acpi, option_hertz);

	ticks_per_us = (rates.tsc + MICROSECONDS / 2) / MICROSECONDS;
	this_cpu()->deadline = NO_DEADLINE;
	if (!ticks_per_us) {
		print("clock: nothing tells the TSC's rate: give option tsc=KILOHERTZ\n");
		return 0;
	}
	if (!feature_has(FEATURE_TSC_DEADLINE) || !deadline_works(rates.tsc)) {
		apic_timer_use_one_shot();
		ratio = rates.apic;
		if (!ratio) {
			print("clock: the APIC's timer does not count evenly\n");
			return 0;
		}
	}
	print("clock: timer %s\n", ratio ? "one-shot" : "TSC-deadline");
	return rates.tsc;
}

static void one_shot_start(uint64_t deadline) {
	uint64_t now = tsc_read();
	uint64_t wait = deadline > now ? deadline - now : 0;

	if (wait < (COUNT_MAX << 31) / ratio)
		apic_timer_start((uint32_t)(wait * ratio >> 32) + 1);
	else // the counter holds no more: it ends early, and the rest is set then
		apic_timer_start(COUNT_MAX / 2);
}

void clock_set_deadline(uint64_t deadline) {
	struct cpu *cpu = this_cpu();

	if (deadline >= cpu->deadline) return;
	cpu->deadline = deadline;
	if (ratio)
		one_shot_start(deadline);
	else
		msr_write(MSR_TSC_DEADLINE, deadline ? deadline : 1); // 0 would disarm
}

void clock_expired(void) { this_cpu()->deadline = NO_DEADLINE; }
