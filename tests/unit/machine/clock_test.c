// SPDX-License-Identifier: BSD-2-Clause
// The TSC's rate on machines that are quiet, busy, slow, or lack things.
#include "sources.h"
#include "test.h"

#include <base/compiler.h>
#include <cpu/clock.h>
#include <cpu/features.h>
#include <stdlib.h>

enum { BOOTS = 60, PARTS_MOST = 1000 }; // of a million: the width that a round may have

#define GHZ 1000000000ul
#define PC \
	.tsc_hertz = 2399184321, .apic_hertz = 100000000, .access_ns = 1000, .has_pit = true, \
	.has_pm = true, .has_hpet = true

static uint64_t found_hertz;

static bool start(const struct sources *machine, unsigned seed, uint64_t option_hertz) {
	struct acpi_facts acpi = {.hpet = machine->has_hpet ? SOURCES_HPET : 0,
		.timer_port = machine->has_pm ? SOURCES_PM_PORT : 0};

	sources_begin(machine, seed);
	found_hertz = clock_init(&acpi, option_hertz);
	return found_hertz > 0;
}

static int64_t rate_deviation(uint64_t rate, uint64_t from) {
	return ((int64_t)rate - (int64_t)from) * 1000000 / (int64_t)from;
}

static bool is_right(void) {
	int64_t parts = rate_deviation(found_hertz, sources.tsc_hertz);

	return parts <= PARTS_MOST && parts >= -PARTS_MOST;
}

static void clock_quiet(void) {
	static const uint64_t rates[] = {50000000, GHZ, 2399184321, 5 * GHZ};

	for (unsigned i = 0; i < 3 * array_count(rates); i++) {
		struct sources machine = {PC};

		machine.tsc_hertz = rates[i / 3];
		machine.has_hpet = i % 3 < 1;
		machine.has_pm = i % 3 < 2;
		check(start(&machine, i, 0) && is_right());
	}
}

// Nine of ten such boots find a rate; none finds a wrong one.
static void boot_often(struct sources machine) {
	unsigned found = 0;

	for (unsigned i = 0; i < BOOTS; i++) {
		if (!start(&machine, i, 0)) continue;
		check(is_right());
		found++;
	}
	check(found >= BOOTS / 10 * 9);
}

static void clock_busy(void) {
	boot_often((struct sources){PC, .pauses = 3000, .pause_us = 20000});
	boot_often((struct sources){PC, .pauses = 20000, .pause_us = 200000});
	boot_often((struct sources){.tsc_hertz = 3 * GHZ,
		.apic_hertz = GHZ,
		.access_ns = 3000,
		.has_pit = true,
		.pauses = 5000,
		.pause_us = 70000});
}

static void clock_stopped(void) {
	boot_often((struct sources){
		PC, .pauses = 500000, .pause_us = 100000, .are_devices_paused = true});
}

static void clock_slow_access(void) {
	struct sources machine = {PC};

	machine.access_ns = 20000;
	check(start(&machine, 1, 0) && is_right());
}

static void clock_lacking(void) {
	struct sources machine = {.tsc_hertz = 2 * GHZ, .apic_hertz = GHZ, .access_ns = 100};

	check(!start(&machine, 1, 0));
	check(start(&machine, 1, 2 * GHZ) && is_right());
	machine.crystal_hertz = 2 * GHZ;
	check(start(&machine, 1, 0) && found_hertz == 2 * GHZ);
	machine.crystal_hertz = 0;
	machine.base_megahertz = 2000;
	check(start(&machine, 1, 0) && found_hertz == 2 * GHZ);
	machine.base_megahertz = 0;
	machine.hypervisor_kilohertz = 2000000;
	check(start(&machine, 1, 0) && found_hertz == 2 * GHZ);
}

static void clock_stated(void) {
	struct sources machine = {PC};

	machine.crystal_hertz = 2399184322;
	check(start(&machine, 1, 0) && found_hertz == 2399184322);
	machine.crystal_hertz = 2 * GHZ;
	machine.base_megahertz = 2000;
	check(start(&machine, 1, 0) && is_right());
	check(start(&machine, 1, 7 * GHZ / 2) && found_hertz == 7 * GHZ / 2);
}

static void clock_outvoted(void) {
	struct sources machine = {PC};

	machine.pit_percent = 50;
	check(start(&machine, 1, 0) && is_right());
	machine.has_hpet = false;
	machine.hypervisor_kilohertz = 2399184;
	check(start(&machine, 1, 0) && found_hertz == 2399184000);
}

static bool uses_deadline(struct sources machine) {
	struct acpi_facts acpi = {.timer_port = SOURCES_PM_PORT};

	sources_begin(&machine, 1);
	this_cpu()->features = 1ul << FEATURE_TSC_DEADLINE;
	check(clock_init(&acpi, 0));
	return sources.is_deadline_mode;
}

static void clock_deadline_tried(void) {
	check(uses_deadline((struct sources){PC}));
	check(uses_deadline((struct sources){PC, .deadline_late_us = 20000}));
	check(!uses_deadline((struct sources){PC, .deadline_late_us = INT64_MAX}));
	check(!uses_deadline((struct sources){PC, .deadline_late_us = -50}));
	check(!uses_deadline((struct sources){PC, .is_deadline_refused = true}));
}

// As another core does, whose timer may not work.
static void clock_joined(void) {
	struct cpu first = {.timer_ratio = 0};

	check(start(&(struct sources){PC}, 1, 0));
	check(clock_join(&first) && this_cpu()->timer_ratio == 0);
	check(start(&(struct sources){PC}, 1, 0));
	sources.deadline_late_us = INT64_MAX;
	check(!clock_join(&first));
	first.timer_ratio = 1ul << 31;
	this_cpu()->deadline = 0;
	check(clock_join(&first) && this_cpu()->timer_ratio == first.timer_ratio);
	check_equal(this_cpu()->deadline, UINT64_MAX);
}

static void clock_one_shot(void) {
	struct sources machine = {PC, .pauses = 3000, .pause_us = 20000};

	for (unsigned i = 0; i < BOOTS; i++) {
		int64_t parts;

		if (!start(&machine, i, 0)) continue;
		sources.pauses = 0;
		clock_set_deadline(clock_now() + machine.tsc_hertz / 10);
		parts = rate_deviation(sources.apic_count, machine.apic_hertz / 10);
		check(parts <= 2 * PARTS_MOST && parts >= -2 * PARTS_MOST);
	}
	machine = (struct sources){PC};
	machine.apic_hertz = 0;
	check(!start(&machine, 1, 0));
}

static const struct test rows[] = {
	{"clock_quiet", "the rate is right by any counter", clock_quiet},
	{"clock_busy", "a busy host costs rounds, never a wrong rate", clock_busy},
	{"clock_stopped", "so does one that stops the machine, TSC running", clock_stopped},
	{"clock_slow_access", "accesses of 20 us make the rounds longer", clock_slow_access},
	{"clock_lacking", "without counters CPUID or the option is believed, else nothing",
		clock_lacking},
	{"clock_stated", "what CPUID states is taken where it was measured too", clock_stated},
	{"clock_outvoted", "a counter that runs wrong is outvoted", clock_outvoted},
	{"clock_deadline_tried", "a TSC-deadline timer that fails is not used",
		clock_deadline_tried},
	{"clock_joined", "another core's timer works as the first one's, or is refused",
		clock_joined},
	{"clock_one_shot", "the APIC timer's rate is right on a busy host, or refused",
		clock_one_shot},
};

const struct tests clock_tests = {rows, array_count(rows)};
