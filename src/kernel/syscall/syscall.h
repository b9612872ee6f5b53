// SPDX-License-Identifier: BSD-2-Clause
// System calls of the current thread (SYS-1 to SYS-17).
#pragma once

#include <sched/thread.h>

// Executes the system call of the current thread; its number is rdx, all 64 bits. Its registers are
// in its frame, rip after the SYSCALL. The clock has been read.
void syscall_handle(void);

// The same for a Call whose capability was found already.
void syscall_call(struct thread *thread, struct slot *slot);

// Executes system call -index of the debug (SYS-17) or benchmark build; false if this build has
// none of that number.
bool syscall_of_build(struct thread *thread, uint64_t index);
