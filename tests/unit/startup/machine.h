// SPDX-License-Identifier: BSD-2-Clause
// A core as firmware and loader may leave it.
#pragma once

#include <cpu/registers.h>
#include <stdbool.h>

enum { MACHINE_LEAVES = 0xd, MACHINE_LVT_MASKED = 1 << 16 };

// Registers of the local APIC by their offset (SDM 3A, table 11-1).
enum machine_apic {
	APIC_VERSION = 0x30,
	APIC_ERRORS = 0x280,
	APIC_CMCI = 0x2f0,
	APIC_TIMER = 0x320,
	APIC_THERMAL = 0x330,
	APIC_COUNTERS = 0x340,
	APIC_LINT0 = 0x350,
	APIC_ERROR = 0x370,
	APIC_EXTENDED = 0x400,
	APIC_EXTENDED_LVT = 0x500,
};

// A core with every feature that the kernel needs, and what is left over in all registers that a
// test looks at.
void machine_reset(void);

// The CPU has no such MSR; or it refuses to be written.
void machine_msr_remove(uint32_t msr);
void machine_msr_lock(uint32_t msr);

// What it holds; 0 where there is none.
uint64_t machine_msr(uint32_t msr);
void machine_msr_set(uint32_t msr, uint64_t value);

// The local APIC's page.
extern uint32_t machine_apic[0x1000 / 4];

// With x2APIC: errors that the error register has not shown yet, and what was left when the entry
// for errors was unmasked.
extern uint32_t machine_errors, machine_errors_at_unmask;

extern bool machine_has_x2apic;

// How often the kernel waited for a command that is pending; the third time it goes.
extern unsigned machine_waits;

// It.
extern struct cpu machine_cpu;

// All lines printed.
extern char machine_printed[2048];
