// SPDX-License-Identifier: BSD-2-Clause
// System calls of the current thread (SYS-1 to SYS-17).
//
// The folder: system calls by number (this file), invocations by label (dispatch), calls of two
// builds (debug, benchmark).
#pragma once

#include <sched/thread.h>

// Executes the system call of the current thread; its number is rdx, all 64 bits. Its registers are
// in its frame, rip after the SYSCALL. The clock has been read.
void syscall_handle(void);

// The same for a Call whose capability was found already.
void syscall_call(struct thread *thread, struct slot *slot);

// Carry out system call -index of the debug (SYS-17) or benchmark build; false if there is none of
// that number.
[[nodiscard]] bool debug_syscall(struct thread *thread, uint64_t index);
[[nodiscard]] bool benchmark_syscall(struct thread *thread, uint64_t index);

// What the first register of such a call names; never null.
static inline const struct cap *named_cap(const struct thread *thread) {
	static const struct cap null;
	const struct slot *slot = thread_find(thread, thread->context.rdi);

	return slot ? &slot->cap : &null;
}
