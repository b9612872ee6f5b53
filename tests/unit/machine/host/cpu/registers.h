// SPDX-License-Identifier: BSD-2-Clause
// Host tests: instructions that touch hardware become calls of the test.
#pragma once

#include <stdint.h>

enum msr { MSR_APIC_BASE = 0x1b, MSR_TSC_DEADLINE = 0x6e0 };

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

struct cpuid cpuid(uint32_t leaf, uint32_t subleaf);
uint64_t tsc_read(void);
uint64_t tsc_read_ordered(void);
uint8_t io_in8(uint16_t port);
uint32_t io_in32(uint16_t port);
void io_out8(uint16_t port, uint8_t value);
void msr_write(uint32_t msr, uint64_t value);

static inline uint64_t cr2_read(void) { return 0; }
static inline uint64_t cr3_read(void) { return 0; }
static inline uint64_t cr4_read(void) { return 0; }
static inline void interrupts_disable(void) {}
[[gnu::noreturn]] void cpu_stop(void);
