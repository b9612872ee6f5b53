// SPDX-License-Identifier: BSD-2-Clause
// The TSC's rate is measured in rounds in which counters run against the TSC. Each reading is taken
// between two reads of the TSC, so each round gives bounds; rounds with matching bounds are
// trusted.
#include <cpu/clock.h>

#include <cpu/apic.h>
#include <cpu/console.h>
#include <cpu/features.h>
#include <cpu/layout.h>
#include <x86/cpuid.h>
#include <x86/timer.h>

// 8254 channel 2, whose gate is at port 0x61.
enum {
	PIT_COMMAND_RATE = 0xb4, // channel 2, both bytes, mode 2: down by one a tick, from 65536
	PIT_COMMAND_LATCH = 0x80,
	PIT_GATE_PORT = 0x61,
	PIT_GATE = 1 << 0,
	PIT_SPEAKER = 1 << 1,
	PM_MASK = 0xffffff, // some have 32 bits
};

#define FEMTOSECONDS 1000000000000000ul

enum {
	ROUND_RATE = 333, // the first rounds take 3 ms
	ROUNDS_OF_A_LENGTH = 3, // then twice that: slow accesses need long rounds
	ROUNDS_MOST = 18,
	ROUNDS_AGREEING = 3,
	POLLS_MOST = 100000, // a round ends here at the latest: counters may stand still
	CONFIRMING = 2000, // parts per million between rates that confirm each other
	WIDTH_SHARE = 512, // bounds further apart than this part of the rate prove nothing
};

#define HERTZ_LIMIT (1ul << 40) // a stated rate further off is ignored
#define MILLION 1000000l

// Sources of the TSC's rate: counters first. The APIC's timer is measured with them.
enum source { HPET, PM, PIT, HYPERVISOR, CPUID_15, CPUID_16, OPTION, SOURCES };
enum { APIC = PIT + 1, COUNTERS };

static const char *const names[SOURCES] = {
	"HPET", "ACPI timer", "PIT", "hypervisor", "CPUID 15h", "CPUID 16h", "option tsc"};

struct counter {
	uint32_t (*read)(const struct counter *counter);
	volatile uint32_t *page; // null, and port 0: there is none
	uint16_t port;
	uint64_t hertz; // 0: unknown
	uint32_t mask, raw;
	uint64_t ticks; // since the round began
	struct instant {
		uint64_t before, after; // TSC
	} first, last;
	uint64_t low, high; // TSC ticks a tick, 32.32 fixed point
	unsigned agreeing; // rounds
};

// Absent counters never advance.

static uint32_t hpet_read(const struct counter *hpet) {
	return hpet->page ? hpet->page[HPET_COUNTER / 4] : 0;
}

static uint32_t pm_read(const struct counter *pm) { return pm->port ? io_in32(pm->port) : 0; }

static uint32_t apic_read(const struct counter *) { return -apic_timer_left(); }

static uint32_t pit_read(const struct counter *) {
	uint32_t low;

	io_out8(PIT_COMMAND, PIT_COMMAND_LATCH);
	low = io_in8(PIT_CHANNEL_2);
	return -(low | (uint32_t)io_in8(PIT_CHANNEL_2) << 8);
}

// Counters that keep running do no harm to later users of the devices.
static void counters_start(struct counter counters[COUNTERS], const struct acpi_facts *acpi) {
	uint8_t gate = io_in8(PIT_GATE_PORT) & (uint8_t)~PIT_SPEAKER;
	volatile uint32_t *hpet = acpi->hpet ? physical_pointer(physical(acpi->hpet)) : NULL;
	uint32_t period = hpet ? hpet[HPET_PERIOD / 4] : 0;

	counters[HPET] = (struct counter){.read = hpet_read, .page = hpet, .mask = UINT32_MAX};
	counters[PM] = (struct counter){
		.read = pm_read, .port = acpi->timer_port, .hertz = PM_HZ, .mask = PM_MASK};
	counters[PIT] = (struct counter){.read = pit_read, .hertz = PIT_HZ, .mask = UINT16_MAX};
	counters[APIC] = (struct counter){.read = apic_read, .mask = UINT32_MAX};
	if (period && period <= HPET_PERIOD_MOST) { // else there is no such device
		counters[HPET].hertz = FEMTOSECONDS / period;
		hpet[HPET_CONFIGURATION / 4] |= HPET_ENABLE;
	}
	io_out8(PIT_GATE_PORT, gate | PIT_GATE);
	io_out8(PIT_COMMAND, PIT_COMMAND_RATE);
	io_out8(PIT_CHANNEL_2, 0);
	io_out8(PIT_CHANNEL_2, 0);
	apic_timer_start(UINT32_MAX);
}

static void counter_read(struct counter *counter) {
	uint32_t raw;

	counter->last.before = tsc_read_ordered();
	raw = counter->read(counter);
	counter->last.after = tsc_read_ordered();
	counter->ticks += (raw - counter->raw) & counter->mask;
	counter->raw = raw;
}

// The end of a round is the start of the next. Either reading may have been anywhere in its tick.
static void counter_conclude(struct counter *counter) {
	struct instant first = counter->first, last = counter->last;
	uint64_t ticks = counter->ticks, longest = last.after - first.before, low, high;

	counter->first = last;
	counter->ticks = 0;
	if (!first.after || ticks < 2 || longest >> 31) return;
	low = ((last.before - first.after) << 32) / (ticks + 1);
	high = (longest << 32) / (ticks - 1);
	if (high - low > high / WIDTH_SHARE) return;
	if (low > counter->high || high < counter->low) {
		// A pause of the machine has disturbed this round or those before.
		counter->agreeing = 0;
		counter->low = low;
		counter->high = high;
	}
	if (low > counter->low) counter->low = low;
	if (high < counter->high) counter->high = high;
	counter->agreeing++;
}

static uint64_t counter_rate(const struct counter *counter) {
	if (counter->agreeing < ROUNDS_AGREEING) return 0;
	return counter->low + (counter->high - counter->low) / 2;
}

// All counters at once, until one has counted long enough. True if all that count are settled. The
// first round only starts the second.
static bool round_run(struct counter counters[COUNTERS], unsigned round) {
	bool is_over = false, is_settled = round > 0;

	for (unsigned polls = 0; !is_over && polls < POLLS_MOST; polls++) {
		for (struct counter *counter = counters; counter < counters + COUNTERS; counter++) {
			uint64_t end = counter->hertz / ROUND_RATE << round / ROUNDS_OF_A_LENGTH;

			counter_read(counter);
			is_over |= round == 0 || (end && counter->ticks >= end);
		}
	}
	for (struct counter *counter = counters; counter < counters + COUNTERS; counter++) {
		bool counts = counter->ticks > 0;

		counter_conclude(counter);
		is_settled &= !counts || counter->agreeing >= ROUNDS_AGREEING;
	}
	return is_settled;
}

static void statements_read(uint64_t rates[SOURCES]) {
	bool has_hypervisor = cpuid(1, 0).ecx & LEAF_1_ECX_HYPERVISOR;
	struct cpuid crystal = cpuid_leaf(0x15, 0);
	uint64_t rate = crystal.eax ? (uint64_t)crystal.ecx * crystal.ebx / crystal.eax : 0;

	if (has_hypervisor && cpuid(LEAF_HYPERVISOR, 0).eax >= LEAF_HYPERVISOR_RATES)
		rates[HYPERVISOR] = cpuid(LEAF_HYPERVISOR_RATES, 0).eax * 1000ul;
	rates[CPUID_15] = rate < HERTZ_LIMIT ? rate : 0;
	rates[CPUID_16] = (cpuid_leaf(0x16, 0).eax & UINT16_MAX) * MILLION;
}

static long deviation(uint64_t rate, uint64_t from) {
	return ((long)rate - (long)from) * MILLION / (long)from;
}

// The rate that most counters confirm. A stated rate that they confirm is exact, except for CPUID
// 16h: emulators state the numbers of the CPU that they imitate.
static enum source choose(const uint64_t rates[SOURCES]) {
	enum source best = SOURCES;
	unsigned most = 0;

	for (enum source i = HPET; i < OPTION; i++) {
		unsigned score = i == HYPERVISOR || i == CPUID_15 ? 2 : 1;

		for (enum source j = HPET; rates[i] && j <= PIT; j++) {
			long parts = rates[j] ? deviation(rates[j], rates[i]) : MILLION;

			if (parts < CONFIRMING && parts > -CONFIRMING) score += 2;
		}
		if (!rates[i] || score <= most) continue;
		most = score;
		best = i;
	}
	return best;
}

// Prints the chosen rate and the deviation of each other source. Returns it: hertz, or 0.
static uint64_t conclude(const uint64_t rates[SOURCES]) {
	enum source best = rates[OPTION] ? OPTION : choose(rates);

	if (best == SOURCES) return 0;
	print("clock: TSC %lu.%03lu MHz by %s", rates[best] / MILLION, rates[best] / 1000 % 1000,
		names[best]);
	for (enum source i = HPET; i < SOURCES; i++)
		if (i != best && rates[i])
			print(", %s %ld ppm", names[i], deviation(rates[i], rates[best]));
	print("\n");
	return rates[best];
}

[[gnu::noinline]] uint64_t rate_find(
	const struct acpi_facts *acpi, uint64_t option_hertz, uint64_t *apic) {
	uint64_t rates[SOURCES] = {[OPTION] = option_hertz};
	struct counter counters[COUNTERS];

	counters_start(counters, acpi);
	for (unsigned n = 0; n < ROUNDS_MOST && !round_run(counters, n); n++) {
	}
	apic_timer_start(0);
	for (enum source i = HPET; i <= PIT; i++)
		rates[i] = (uint64_t)((unsigned __int128)counter_rate(&counters[i]) *
				counters[i].hertz >>
			32);
	statements_read(rates);
	*apic = counter_rate(&counters[APIC]);
	if (*apic) *apic = UINT64_MAX / *apic;
	return conclude(rates);
}
