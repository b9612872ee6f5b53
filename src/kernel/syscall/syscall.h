// SPDX-License-Identifier: BSD-2-Clause
// System calls of the current thread (SYS-1 to SYS-17).
#pragma once

#include <syscall/benchmark.h>

// Executes the system call of the current thread; its number is rdx, all 64 bits. Its registers are
// in its frame, rip after the SYSCALL. The clock has been read.
void syscall_handle(void);

// The same for a Call whose capability was found already.
void syscall_call(struct thread *thread, struct slot *slot);

// Executes system call -index of the debug (SYS-17) or benchmark build; false if this build has
// none of that number.
bool syscall_of_build(struct thread *thread, uint64_t index);

// What must hold between two entries into the kernel. The debug build checks the current thread and
// what hangs from it after each system call, and now and then everything; a violation is a panic
// that names the condition.
void check_current(void);

#define before_exit() \
	do { \
		if (NACRE_DEBUG) check_current(); \
		benchmark_exit(); \
	} while (0)

// Everything reachable from the current thread's capability space.
void check_everything(void);

// Calls visit with a capability to each object whose first one is there, or derived from one there.
void objects_visit(void (*visit)(const struct cap *cap));
