// SPDX-License-Identifier: BSD-2-Clause
// Deadlines on top of the local APIC's timer.
#include <cpu/clock.h>

#include <cpu/platform.h>

enum { DEADLINE_TRY_RATE = 10000, MILLION = 1000000 };

#define NO_DEADLINE (~0ul)
#define COUNT_MAX 0xfffffffful

uint64_t clock_now(void) { return tsc_read(); }

uint64_t clock_ticks_per_us(void) { return this_cpu()->platform->ticks_per_us; }

// Some CPUs need newer microcode for it.
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
	uint64_t apic, hertz = rate_find(acpi, option_hertz, &apic);
	struct cpu *cpu = this_cpu();

	cpu->platform->ticks_per_us = (hertz + MILLION / 2) / MILLION;
	cpu->deadline = NO_DEADLINE;
	if (!cpu->platform->ticks_per_us)
		return refuse("clock: the TSC's rate is unknown: set option tsc=KILOHERTZ\n");
	if (!feature_has(FEATURE_TSC_DEADLINE) || !deadline_works(hertz)) {
		apic_timer_use_one_shot();
		cpu->timer_ratio = apic;
		if (!apic) return refuse("clock: the APIC's timer does not count evenly\n");
	}
	print("clock: timer %s\n", cpu->timer_ratio ? "one-shot" : "TSC-deadline");
	return hertz;
}

bool clock_join(const struct cpu *first) {
	this_cpu()->deadline = NO_DEADLINE;
	this_cpu()->timer_ratio = first->timer_ratio;
	return first->timer_ratio || deadline_works(clock_ticks_per_us() * MILLION);
}

static void one_shot_start(uint64_t deadline, uint64_t ratio) {
	uint64_t now = tsc_read(), wait = deadline > now ? deadline - now : 0;
	// A counter that is too small ends early, and the rest is set then.
	bool fits = wait < (COUNT_MAX << 31) / ratio;

	apic_timer_start((uint32_t)(fits ? (wait * ratio >> 32) + 1 : COUNT_MAX / 2));
}

void clock_set_deadline(uint64_t deadline) {
	struct cpu *cpu = this_cpu();

	if (deadline >= cpu->deadline) return;
	cpu->deadline = deadline;
	if (cpu->timer_ratio)
		one_shot_start(deadline, cpu->timer_ratio);
	else
		msr_write(MSR_TSC_DEADLINE, deadline ? deadline : 1); // 0 would disarm
}

void clock_expired(void) { this_cpu()->deadline = NO_DEADLINE; }
