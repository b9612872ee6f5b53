// SPDX-License-Identifier: BSD-2-Clause
// All orders in which a few cores can take their steps. A core is a coroutine; it may be left for
// another one at each switch point: an access to memory by which cores talk to each other
// (access.c), a wait, a step of its program. An order is a list of choices, one a switch point
// where there is more than one core to go on with; a run repeats the choices of the one before but
// for the last that has another value left.
//
// Between two steps of its program, where it waits, and where it has nothing to do, a core may be
// left as often as one likes. Anywhere else that is a preemption, of which a run has so many at
// most.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { CORES_MAX = 4 };

struct exploration {
	unsigned cores;
	unsigned preemptions; // at most, in a run
	bool delays_stores; // until the core that stores has to make them visible (access.c)
	void (*begin)(void); // puts the system back to its start
	void (*step)(unsigned core); // one step outside the kernel, which may enter it
	bool (*may_step)(unsigned core); // there is one to take
	void (*end)(void); // all cores have nothing more to do
};

// Runs them all. Returns how many there were.
uint64_t explore(const struct exploration *exploration);

// Runs with the first choice everywhere.
void explore_first(const struct exploration *exploration);

// For access.c:

extern unsigned explore_core; // that runs now
extern bool explore_runs; // the code that runs is a core's

// The core may be left. from: the address in the code.
void explore_point(const void *from);

// Memory was written that other cores may wait for.
void explore_written(void);

// Goes on with the stack at load; the present one's stack pointer is left in save.
void coroutine_switch(void **save, void *load);

// Reports the order of the present run, and ends the program.
[[gnu::noreturn]] void explore_fail(const char *format, ...);
void explore_describe(void);
void explore_place(const void *place); // function and line of an address in the code
