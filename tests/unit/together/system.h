// SPDX-License-Identifier: BSD-2-Clause
// A random system on several cores, each of which is a POSIX thread.
#pragma once

#include "../equivalence/run.h"

enum {
	TOGETHER_CORES = 4,
	INTERRUPTS = 2, // of devices that have a handler
};

// One core's view of it: its own random numbers, and its own copy of what stays as it is.
struct together {
	struct run run;
	struct thread manager; // makes invocations, and never runs
	uint64_t steps, calls, faults, interrupts, managed;
};

extern struct together *together[TOGETHER_CORES];

// All is made anew; the threads that can run are chosen. One thread of the process only.
void system_build(unsigned cores);

// What must hold when no core is inside the kernel or has anything to do there.
void system_check(unsigned cores);

// One step of the calling core: of its program, or an event from outside.
void system_step(struct together *self);
// Interrupts that other cores have sent.
void system_serve(void);
