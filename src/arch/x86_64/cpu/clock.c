// SPDX-License-Identifier: BSD-2-Clause
// The TSC measured at boot, and deadlines on top of the local APIC's timer.
#include <cpu/clock.h>

#include <cpu/apic.h>
#include <cpu/console.h>
#include <cpu/features.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>

// 8254 channel 2, whose output can be read back (gate and output at port 0x61).
enum {
	PIT_CHANNEL_2 = 0x42,
	PIT_COMMAND = 0x43,
	PIT_COMMAND_ONE_SHOT = 0xb0, // channel 2, both bytes, mode 0
	PIT_GATE_PORT = 0x61,
	PIT_GATE = 1 << 0,
	PIT_SPEAKER = 1 << 1,
	PIT_OUTPUT = 1 << 5,
	PIT_HZ = 1193182,
	PIT_COUNT = 3580, // 3 ms
	PIT_POLLS = 200000, // a port read takes about 1 us
	PM_COUNT = 3 * PIT_COUNT, // the ACPI timer is exactly three times as fast
	PM_MASK = 0xffffff, // all timers have 24 bits at least
	ROUNDS = 3, // the shortest counts: delays only ever lengthen a round
	TIMER_SAMPLE_US = 1000,
	DEFAULT_MHZ = 1000,
};

#define NO_DEADLINE (~0ul)
#define MICROSECONDS 1000000ul
#define COUNT_MAX 0xfffffffful

// Written by clock_init only. ratio: APIC timer ticks a TSC tick, 32.32 fixed point; 0: the timer
// is in TSC-deadline mode.
static uint64_t ticks_per_us;
static uint64_t ratio;

uint64_t clock_now(void) { return tsc_read(); }

uint64_t clock_ticks_per_us(void) { return ticks_per_us; }

uint64_t clock_deadline(void) { return this_cpu()->deadline; }

// TSC ticks of PIT_COUNT PIT ticks, or 0 if channel 2 does not count.
static uint64_t pit_round(uint16_t) {
	uint8_t gate = (uint8_t)(io_in8(PIT_GATE_PORT) & ~(PIT_SPEAKER | PIT_GATE));
	uint64_t start;

	io_out8(PIT_GATE_PORT, gate | PIT_GATE);
	io_out8(PIT_COMMAND, PIT_COMMAND_ONE_SHOT);
	io_out8(PIT_CHANNEL_2, PIT_COUNT & 0xff);
	io_out8(PIT_CHANNEL_2, PIT_COUNT >> 8);
	start = tsc_read();
	for (unsigned i = 0; i < PIT_POLLS; i++) {
		if (io_in8(PIT_GATE_PORT) & PIT_OUTPUT) return i > 1 ? tsc_read() - start : 0;
	}
	return 0;
}

// The same by the ACPI timer, whose 24 bits are at port.
static uint64_t pm_round(uint16_t port) {
	uint32_t first = io_in32(port);
	uint64_t start = tsc_read();

	for (unsigned i = 0; i < PIT_POLLS; i++) {
		if (((io_in32(port) - first) & PM_MASK) >= PM_COUNT) return tsc_read() - start;
	}
	return 0;
}

static uint64_t rate_measure(uint64_t (*round)(uint16_t port), uint16_t port) {
	uint64_t best = round(port);

	for (unsigned i = 1; i < ROUNDS && best; i++) {
		uint64_t ticks = round(port);

		best = ticks < best ? ticks : best;
	}
	return best * PIT_HZ / PIT_COUNT;
}

// CPUID 15h: crystal rate times a ratio. Emulators report the numbers of the CPU they imitate.
static uint64_t cpuid_rate(void) {
	struct cpuid regs = cpuid_leaf(0x15, 0);

	return regs.eax && regs.ebx ? (uint64_t)regs.ecx * regs.ebx / regs.eax : 0;
}

static uint64_t rate_choose(uint16_t timer_port, const char **source) {
	uint64_t told = cpuid_rate();
	uint64_t measured = rate_measure(pit_round, 0);

	*source = "PIT";
	if (!measured && timer_port) {
		measured = rate_measure(pm_round, timer_port);
		*source = "ACPI timer";
	}
	if (told && (!measured || (told > measured / 100 * 99 && told < measured / 100 * 101))) {
		*source = "CPUID";
		return told;
	}
	if (!measured) *source = "no source, a guess";
	return measured ? measured : DEFAULT_MHZ * MICROSECONDS;
}

static uint64_t timer_ratio_measure(void) {
	uint64_t start, now, counted;

	apic_timer_start(COUNT_MAX);
	start = tsc_read();
	do {
		now = tsc_read();
	} while (now - start < TIMER_SAMPLE_US * ticks_per_us);
	counted = COUNT_MAX - apic_timer_left();
	apic_timer_start(0);
	return counted ? (counted << 32) / (now - start) : 1;
}

void clock_init(uint16_t timer_port) {
	const char *source;
	uint64_t rate = rate_choose(timer_port, &source);

	ticks_per_us = (rate + MICROSECONDS / 2) / MICROSECONDS;
	if (!ticks_per_us) ticks_per_us = 1;
	this_cpu()->deadline = NO_DEADLINE;
	if (feature_has(FEATURE_TSC_DEADLINE))
		apic_timer_use_deadline();
	else
		ratio = timer_ratio_measure();
	print("clock: TSC %lu.%03lu MHz by %s, timer %s\n", rate / MICROSECONDS, rate / 1000 % 1000,
		source, ratio ? "one-shot" : "TSC-deadline");
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
