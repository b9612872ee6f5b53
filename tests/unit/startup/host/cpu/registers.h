// SPDX-License-Identifier: BSD-2-Clause
// Host tests: the kernel's names, but what touches hardware calls the test.
#pragma once

#include_next <cpu/registers.h>

struct machine {
	uint64_t cr0, cr4, dr7;
};

extern struct machine machine;

struct cpuid machine_cpuid(uint32_t leaf, uint32_t subleaf);
uint64_t machine_msr_read(uint32_t msr);
void machine_msr_write(uint32_t msr, uint64_t value);

void machine_relax(void);

#define cpu_relax() machine_relax()
#define cpuid(leaf, subleaf) machine_cpuid(leaf, subleaf)
#define msr_read(msr) machine_msr_read(msr)
#define msr_write(msr, value) machine_msr_write(msr, value)
#define cr0_write(value) (void)(machine.cr0 = (value))
#define cr4_write(value) (void)(machine.cr4 = (value))
#define dr7_write(value) (void)(machine.dr7 = (value))
