// SPDX-License-Identifier: BSD-2-Clause
// What must hold between two entries into the kernel. The debug build checks the current thread and
// what hangs from it after each system call, and now and then everything; a violation is a panic
// that names the condition.
#pragma once

#include <sched/benchmark.h>

void check_current(void);

// Beside a core that does not run alone others may change what it would look at.
#define check_before_exit() \
	(NACRE_DEBUG && !this_cpu()->lock.is_inside ? check_current() : (void)0, benchmark_exit())

// Everything reachable from the current thread's capability space.
void check_everything(void);

// Calls visit with a capability to each object whose first one is there, or derived from one there.
void objects_visit(void (*visit)(const struct cap *cap));
