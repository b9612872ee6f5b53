// SPDX-License-Identifier: BSD-2-Clause
// A machine whose TSC, PIT, ACPI timer, HPET and APIC timer follow one time, and whose processor is
// taken away now and then.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sources {
	uint64_t tsc_hertz;
	uint64_t apic_hertz;
	uint64_t access_ns; // what a device access costs
	unsigned pauses; // one access in so many, TSC reads too, is held up; 0: none
	uint64_t pause_us; // at most so long
	bool are_devices_paused; // the devices' time stands still meanwhile
	bool has_pit, has_pm, has_hpet;
	uint32_t pit_percent; // of its true rate; 0 means 100
	uint32_t crystal_hertz, base_megahertz, hypervisor_kilohertz; // what CPUID states
	bool is_deadline_refused; // the MSR does not exist
	int64_t deadline_late_us; // how late the TSC-deadline timer comes; INT64_MAX: never
	// What the kernel did.
	bool is_deadline_mode;
	unsigned sent; // interrupts to other cores
	uint32_t apic_count; // written last
};

extern struct sources sources;

enum { SOURCES_PM_PORT = 0x608 };
#define SOURCES_HPET 0xfed00000ul

// What is not of the test's own devices.
uint8_t pit_in(uint16_t port);
void pit_out(uint16_t port, uint8_t value);

// Time begins anew, and so does luck.
void sources_begin(const struct sources *machine, unsigned seed);
