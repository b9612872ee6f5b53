// SPDX-License-Identifier: BSD-2-Clause
// Instructions that C cannot say and every program may execute (SDM 2).
#pragma once

#include <stdint.h>

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf) {
	struct cpuid regs;

	__asm__ volatile("cpuid"
			 : "=a"(regs.eax), "=b"(regs.ebx), "=c"(regs.ecx), "=d"(regs.edx)
			 : "a"(leaf), "c"(subleaf));
	return regs;
}

static inline uint64_t tsc_read(void) {
	uint64_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high)); // clears the high halves (SDM 2B)
	return high << 32 | low;
}

// Ordered with the instructions before and after it (SDM 2B, RDTSC).
static inline uint64_t tsc_read_ordered(void) {
	uint64_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return high << 32 | low;
}
