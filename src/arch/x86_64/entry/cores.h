// SPDX-License-Identifier: BSD-2-Clause
// The cores of the machine: what each has, and the start of those beside the first (SDM 3A 9.4, APM
// 2 16.5).
#pragma once

#include <boot/boot_memory.h>
#include <cpu/percpu.h>
#include <entry/options.h>

struct kernel;

extern const char trap_stubs[]; // trap.asm: handlers of exceptions and interrupts
extern const char core_trampoline[]; // boot.asm: a physical address

// A core's first step: GS must hold struct cpu before anything calls this_cpu().
void core_begin(struct cpu *cpu, struct kernel *kernel);

// What boot.asm calls on each core beside the first.
enum exit_path core_main(struct cpu *cpu);

// Starts them, one after the other, each with memory for its state. One that does not answer, or is
// not as the first one, is left out with a line; the others wait for interrupts. The first has
// everything but the initial task. The memory keeps the options, and gets what the kernel's tables
// did not need.
void cores_start(struct cpu *first, const struct acpi_facts *acpi, const unsigned options[OPTIONS],
	struct boot_memory *memory);
