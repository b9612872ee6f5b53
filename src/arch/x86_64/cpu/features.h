// SPDX-License-Identifier: BSD-2-Clause
// What this CPU can do: the optional features the kernel asks for at run time. And what firmware
// has left in a core: errors that the hardware found (machine_check.c), types of memory
// (memory_types.c).
#pragma once

#include <cpu/msr.h>
#include <cpu/percpu.h>
#include <cpu/registers.h>

// Those that are asked for by name: the first rows of features.c.
enum feature {
	FEATURE_X2APIC,
	FEATURE_TSC_DEADLINE,
	FEATURE_XSAVEOPT,
	FEATURE_FSGSBASE,
	FEATURE_PCID,
	FEATURE_INVPCID,
	FEATURE_SMAP,
	FEATURE_GIB_PAGES,
	FEATURE_VMX,
	FEATURE_SVM,
};

static inline bool feature_has(enum feature feature) { return this_cpu()->features >> feature & 1; }

// The registers of programs can be switched in line.
static inline bool features_switch_fast(void) {
	const uint64_t both = 1ul << FEATURE_FSGSBASE | 1ul << FEATURE_XSAVEOPT;

	return (this_cpu()->features & both) == both;
}

// The value, or 0 where the CPU has no such MSR.
static inline uint64_t msr_read_any(uint32_t msr) {
	uint64_t value = 0;

	(void)msr_try_read(msr, &value);
	return value;
}

// Sets and clears bits of an MSR that the CPU may lack; true if it has them so now.
static inline bool msr_change(uint32_t msr, uint64_t set, uint64_t clear) {
	uint64_t value;

	if (!msr_try_read(msr, &value)) return false;
	if ((value & (set | clear)) == set) return true;
	return msr_try_write(msr, (value & ~clear) | set) && msr_try_read(msr, &value) &&
		(value & (set | clear)) == set;
}

// All zero where the CPU has no such leaf.
struct cpuid cpuid_leaf(uint32_t leaf, uint32_t subleaf);

// Reads CPUID, prints the CPU's features and sets CR0, CR4, EFER and PAT of a running kernel; false
// after a line that names a missing required one. Those hidden, 1 << enum feature, count as absent.
// Long mode and NX are there: boot.asm has looked.
[[nodiscard]] bool features_init(uint64_t hidden);

// Machine checks, by bank (SDM 3B, chapter 16; APM 2, chapter 9).

// Prints and clears what firmware left in the banks and switches all errors on. Exceptions are
// caught already. Once a core.
void machine_check_init(void);

// The end, with every bank that holds an error: for vector 18, and for VM exits that say the same.
[[gnu::noreturn]] void machine_check_panic(void);

// Types of memory by address (MTRRs, SDM 3A 12.11; APM 2 7.7): firmware sets them, and all cores
// must have the same. All from MSR_MTRR_FIRST on, with gaps, and what switches them on.
enum { MTRRS = 0x71 };

// What this core has; 0 for those that it lacks.
void memory_types_read(uint64_t values[MTRRS]);

// Gives this core those of another; false if it cannot have them.
[[nodiscard]] bool memory_types_join(const uint64_t values[MTRRS]);
