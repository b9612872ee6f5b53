// SPDX-License-Identifier: BSD-2-Clause
// What does the time stamp counter count? Some emulators let it count instructions, and no CPUID
// leaf says which. So it is measured: only a count of instructions is the same for every
// instruction.
#include <cpuid.h>
#include "bench.h"

enum {
	TRIES = 32, // of which the least counts: an interrupt may fall into one
	SEQUENCE = 64, // as in the assembly below
	CPUID_EXTENDED = 0x80000001,
	EDX_RDTSCP = 1 << 27,
};

struct counter counter; // by counter_find

static uint64_t nothing(void) {
	uint64_t begin = ticks_begin();

	return ticks_end() - begin;
}

// Text between two reads and nothing else, so that their difference is known to the instruction.
#define BETWEEN_READS(text) \
	"lfence\n\trdtsc\n\tmov %%eax, %%esi\n\t" text "rdtscp\n\tlfence\n\tsub %%esi, %%eax"

static uint64_t empty_sequence(void) {
	uint32_t ticks;

	asm volatile(BETWEEN_READS("") : "=a"(ticks)::"ecx", "edx", "esi", "cc");
	return ticks;
}

static uint64_t idle_sequence(void) {
	uint32_t ticks;

	asm volatile(BETWEEN_READS(".rept 64\n\tnop\n\t.endr\n\t")
		     : "=a"(ticks)::"ecx", "edx", "esi", "cc");
	return ticks;
}

// Each product waits for the one before.
static uint64_t busy_sequence(void) {
	uint32_t ticks;

	asm volatile(BETWEEN_READS(".rept 64\n\timul %%esi, %%edx\n\t.endr\n\t")
		     : "=a"(ticks)::"ecx", "edx", "esi", "cc");
	return ticks;
}

// Not in line: in Bochs 3.0 the differences depend on the loop that GCC 14 makes around the reads.
[[gnu::noinline]] static uint64_t least(uint64_t (*measure)(void)) {
	uint64_t best = measure();

	for (unsigned round = 1; round < TRIES; round++) {
		uint64_t next = measure();

		best = next < best ? next : best;
	}
	return best;
}

void counter_find(void) {
	uint32_t eax, ebx, ecx, edx = 0;
	uint64_t empty;

	if (!__get_cpuid(CPUID_EXTENDED, &eax, &ebx, &ecx, &edx) || !(edx & EDX_RDTSCP))
		test_fail(HERE, "this processor has no RDTSCP");
	empty = least(empty_sequence);
	if (least(idle_sequence) == empty + SEQUENCE && least(busy_sequence) == empty + SEQUENCE)
		counter = (struct counter){"instructions", 0};
	else
		counter = (struct counter){"cycles", least(nothing)};
}
