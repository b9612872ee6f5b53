// SPDX-License-Identifier: BSD-2-Clause
// Time is in picoseconds and continues with each access.
#include "sources.h"

#include <cpu/apic.h>
#include <cpu/features.h>
#include <cpu/layout.h>
#include <cpu/msr.h>
#include <cpu/platform.h>
#include <cpu/registers.h>
#include <stdlib.h>

enum {
	PIT_HZ = 1193182,
	PM_HZ = 3 * PIT_HZ,
	HPET_HZ = 100000000,
	HPET_PERIOD = 10000000, // femtoseconds
	TSC_READ_NS = 10,
	PIT_COMMAND = 0x43,
	PIT_DATA = 0x42,
};

#define PICOSECONDS 1000000000000ul

struct sources sources;

static uint64_t now, paused; // paused: time that the devices have missed
static uint16_t latched;
static bool is_high_next;
static uint32_t hpet[1024];
static uint64_t apic_start, deadline;
static struct platform platform;
static struct cpu core = {.platform = &platform};

void sources_begin(const struct sources *machine, unsigned seed) {
	sources = *machine;
	srand(seed);
	now = (uint64_t)rand() * 1000;
	paused = 0;
	is_high_next = false;
	apic_start = 0;
	deadline = 0;
	core = (struct cpu){.platform = &platform};
	hpet[1] = machine->has_hpet ? HPET_PERIOD : UINT32_MAX;
	hpet[4] = 0;
}

static uint64_t ticks(uint64_t time, uint64_t hertz) {
	return (uint64_t)((unsigned __int128)time * hertz / PICOSECONDS);
}

static uint64_t device_time(void) { return now - paused; }

static void pass(uint64_t nanoseconds) {
	now += nanoseconds * 1000;
	if (sources.pauses > 0 && (unsigned)rand() % sources.pauses == 0) {
		uint64_t pause = (uint64_t)rand() % (sources.pause_us * 1000000);

		now += pause;
		if (sources.are_devices_paused) paused += pause;
	}
	// Later reads of memory find the counter there.
	if (sources.has_hpet && hpet[4] & 1)
		hpet[0xf0 / 4] = (uint32_t)ticks(device_time(), HPET_HZ);
}

uint64_t tsc_read(void) {
	pass(TSC_READ_NS);
	return ticks(now, sources.tsc_hertz);
}

uint64_t tsc_read_ordered(void) {
	uint64_t value = tsc_read();

	pass(TSC_READ_NS);
	return value;
}

uint32_t io_in32(uint16_t port) {
	uint32_t value = UINT32_MAX;

	pass(sources.access_ns);
	if (port == SOURCES_PM_PORT && sources.has_pm)
		value = (uint32_t)ticks(device_time(), PM_HZ) & 0xffffff;
	pass(0);
	return value;
}

void *physical_pointer(physical_t address) { return address.value == SOURCES_HPET ? hpet : NULL; }

static void pit_latch(void) {
	uint64_t percent = sources.pit_percent ? sources.pit_percent : 100;

	if (sources.has_pit) latched = (uint16_t)-ticks(device_time(), PIT_HZ * percent / 100);
	is_high_next = false;
}

uint8_t pit_in(uint16_t port) {
	pass(sources.access_ns);
	if (port != PIT_DATA) return 0;
	is_high_next = !is_high_next;
	return (uint8_t)(is_high_next ? latched : latched >> 8);
}

void pit_out(uint16_t port, uint8_t value) {
	pass(sources.access_ns);
	if (port == PIT_COMMAND && value == 0x80) pit_latch();
	pass(0);
}

struct cpuid cpuid(uint32_t leaf, uint32_t) {
	bool is_guest = sources.hypervisor_kilohertz > 0;

	if (leaf == 0) return (struct cpuid){.eax = 0x16};
	if (leaf == 1) return (struct cpuid){.ecx = is_guest ? 1u << 31 : 0};
	if (leaf == 0x15 && sources.crystal_hertz)
		return (struct cpuid){1, 2, sources.crystal_hertz / 2, 0};
	if (leaf == 0x16) return (struct cpuid){.eax = sources.base_megahertz};
	if (leaf == 0x40000000) return (struct cpuid){.eax = 0x40000010};
	if (leaf == 0x40000010) return (struct cpuid){.eax = sources.hypervisor_kilohertz};
	return (struct cpuid){};
}

struct cpuid cpuid_leaf(uint32_t leaf, uint32_t subleaf) {
	return cpuid(leaf, subleaf);
}

struct cpu *this_cpu(void) {
	return &core;
}

void apic_timer_start(uint32_t count) {
	pass(100);
	sources.apic_count = count;
	apic_start = device_time();
}

uint32_t apic_timer_left(void) {
	uint32_t left;

	pass(sources.access_ns);
	left = sources.apic_count - (uint32_t)ticks(device_time() - apic_start, sources.apic_hertz);
	pass(0);
	return left;
}

void apic_send(uint32_t, uint32_t) { sources.sent++; }

void apic_timer_use_deadline(void) { sources.is_deadline_mode = true; }

void apic_timer_use_one_shot(void) { sources.is_deadline_mode = false; }

bool apic_timer_is_pending(void) {
	int64_t late = sources.deadline_late_us;

	pass(100);
	if (!deadline || late == INT64_MAX) return false;
	return (int64_t)ticks(now, sources.tsc_hertz) >=
		(int64_t)deadline + late * (int64_t)(sources.tsc_hertz / 1000000);
}

bool msr_try_write(uint32_t msr, uint64_t value) {
	if (msr != MSR_TSC_DEADLINE || sources.is_deadline_refused) return false;
	deadline = value;
	return true;
}

void msr_write(uint32_t msr, uint64_t value) { (void)msr_try_write(msr, value); }
