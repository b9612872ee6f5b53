// SPDX-License-Identifier: BSD-2-Clause
// The machine below the kernel in host tests: memory, time, interrupts, and a record of what the
// kernel did to it.
#pragma once

#include <cap/cap.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	HOST_MEMORY = 64 << 20,
	HOST_IOAPICS = 2,
	HOST_PINS = 24,
	HOST_TICKS_PER_US = 1000,
	HOST_OUTPUT = 4096,
};

struct host_pin {
	unsigned vector;
	unsigned level;
	unsigned polarity;
	bool unmasked;
};

struct host {
	uint64_t now;
	uint64_t deadline;
	unsigned ioapics;
	struct host_pin pins[HOST_IOAPICS][HOST_PINS];
	bool has_vmx;
	struct cap withdrawn; // ports taken from virtual CPUs
	char output[HOST_OUTPUT]; // what the kernel printed
	unsigned output_length;

	// Preemption points say yes every preempt_period-th time; 0: never.
	unsigned preempt_period;
	unsigned preempt_asked;
	unsigned slow; // calls that a fast path passed on
	struct slot *slow_slot; // the capability that the last one of them had found, or null

	// What the CPU holds. Of an FPU state its first word stands for all registers.
	uint64_t cr2, cr3;
	uint64_t fs_base, gs_base;
	uint64_t has_selectors; // a program has loaded data selectors
	uint64_t fpu;
	bool is_fpu_eager;
};

extern struct host host;

// Memory for the physical window, and one core with an idle scheduler.
void host_start(void);

struct cpu;
struct kernel;

// A further core, with an idle scheduler. Both are zero before.
void host_start_core(struct cpu *cpu, struct kernel *kernel);

// The kernel runs on this core from now on. Returns where it ran before.
struct cpu *host_use_core(struct cpu *cpu);
