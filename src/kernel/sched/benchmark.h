// SPDX-License-Identifier: BSD-2-Clause
// How long each thread runs, counted in the benchmark build only: in all others none of it is
// compiled.
#pragma once

#include <cpu/clock.h>
#include <sched/thread.h>

#ifndef NACRE_BENCHMARK
#define NACRE_BENCHMARK 0
#endif

// The kernel is entered, or found to be. Twice in one entry counts once.
static inline void benchmark_enter(void) {
	struct cpu *cpu = this_cpu();

	if (!NACRE_BENCHMARK || !cpu->benchmark.is_on || cpu->benchmark.entered) return;
	cpu->benchmark.entered = clock_now();
	cpu->current->utilisation.kernel_entries++;
	cpu->benchmark.total.kernel_entries++;
}

// The current thread's time inside the kernel ends.
static inline void benchmark_leave(uint64_t now) {
	struct cpu *cpu = this_cpu();
	uint64_t used = now - cpu->benchmark.entered;

	if (!cpu->benchmark.entered) return;
	cpu->current->utilisation.kernel_cycles += used;
	cpu->benchmark.total.kernel_cycles += used;
	cpu->benchmark.entered = 0;
}

static inline void benchmark_exit(void) {
	if (NACRE_BENCHMARK) benchmark_leave(clock_now());
}

// next is about to become the current thread.
static inline void benchmark_switch(struct cpu *cpu, struct thread *next) {
	uint64_t now;

	if (!NACRE_BENCHMARK || !cpu->benchmark.is_on || next == cpu->current) return;
	now = clock_now();
	cpu->current->utilisation.cycles += now - cpu->benchmark.switched;
	cpu->benchmark.switched = now;
	benchmark_leave(now);
	cpu->benchmark.entered = now;
	next->utilisation.schedules++;
	cpu->benchmark.total.schedules++;
}
