// SPDX-License-Identifier: BSD-2-Clause
// The machine below the kernel in host tests: memory, time, interrupts, cores, and a record of what
// the kernel did to them. Cores may be POSIX threads, or take turns.
#pragma once

#include <cap/cap.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	HOST_MEMORY = 64 << 20,
	HOST_CORES = 8,
	HOST_TRANSLATIONS = 8, // that a core remembers
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
	uint32_t high; // word
};

struct cpu;
struct kernel;

// A page that a core may reach without looking at the tables again.
struct host_translation {
	uint64_t root; // CR3, with the PCID; 0: no translation
	uint64_t address;
	uint64_t entry; // of the table
};

// What one core holds. Of an FPU state its first word stands for all registers.
struct host_core {
	struct cpu *cpu;
	uint64_t deadline;
	unsigned preempt_asked;
	unsigned slow; // calls that a fast path passed on
	struct slot *slow_slot; // the capability that the last one of them had found, or null
	uint64_t cr2, cr3;
	uint64_t fs_base, gs_base;
	uint64_t has_selectors; // a program has loaded data selectors
	uint64_t fpu;
	struct host_translation translations[HOST_TRANSLATIONS];
	unsigned translation_next; // the place that the next one takes
	unsigned in_service; // the vector whose interrupt has not ended, or 0
	unsigned way; // enum exit_path: what the core does outside the kernel
	uint32_t interrupts; // pending: bits of vectors from HOST_VECTOR_FIRST on
};

// Interrupts that can be sent have this vector or one of the 31 behind it.
enum { HOST_VECTOR_FIRST = 32 };

struct host {
	uint64_t now;
	unsigned ioapics;
	struct host_pin pins[HOST_IOAPICS][HOST_PINS];
	bool has_vmx;
	bool is_fpu_eager;
	struct cap withdrawn; // ports taken from virtual CPUs
	char output[HOST_OUTPUT]; // what the kernel printed
	unsigned output_length;

	// Preemption points say yes every preempt_period-th time; 0: never.
	unsigned preempt_period;

	void (*before_panic)(void); // or null
	unsigned core_count;
	struct host_core cores[HOST_CORES];
};

extern struct host host;

// Memory for the physical window, and one core with an idle scheduler.
void host_start(void);

// The same but for that memory, which stays as it is.
void host_restart(void);

// A further core, with an idle scheduler. Both are zero before.
void host_start_core(struct cpu *cpu, struct kernel *kernel);

// The calling POSIX thread is this core from now on. Returns which one it was.
struct cpu *host_use_core(struct cpu *cpu);

// What the core holds that runs this.
struct host_core *host_core(void);

// Takes one of the interrupts that were sent to this core; 0: there is none.
unsigned host_take_interrupt(void);
[[nodiscard]] bool host_is_interrupted(const struct host_core *core);

// The program of the current thread reaches for a page: the entry that translates it, from what the
// core remembers or else from the tables; 0: a page fault.
uint64_t host_touch(uint64_t address);

// What the tables say; 0: nothing.
uint64_t host_walk(uint64_t root, uint64_t address);
