// SPDX-License-Identifier: BSD-2-Clause
// System calls of the current thread (SYS-1 to SYS-17).
//
// The folder: system calls by number (this file), invocations by label (dispatch), calls of two
// builds (debug, benchmark).
#pragma once

#include <abi/syscall.h>
#include <sched/thread.h>

// Executes the system call of the current thread; its number is rdx, all 64 bits. Its registers are
// in its frame, rip after the SYSCALL. The clock has been read.
void syscall_handle(void);

// The system call may be one that reaches only what belongs to its core.
[[nodiscard]] static inline bool syscall_may_stay(const struct cpu *cpu) {
	uint64_t number = cpu->current->context.rdx;

	return number - (uint64_t)SYSCALL_YIELD <= SYSCALL_RECV - SYSCALL_YIELD;
}

// This core is inside: the system call reaches only what belongs to it. A reply object that it
// receives with is taken for it.
[[nodiscard]] bool syscall_is_own(const struct cpu *cpu);

// The same for a Call whose capability was found already.
void syscall_call(struct thread *thread, struct slot *slot);

// System calls of the debug (SYS-17) and the benchmark build, by the negated number.
typedef void build_syscall(struct thread *thread);
enum { BUILD_SYSCALLS = 130 };
extern build_syscall *const debug_syscalls[BUILD_SYSCALLS],
	*const benchmark_syscalls[BUILD_SYSCALLS];

// What the first register of such a call names; never null.
static inline const struct cap *named_cap(const struct thread *thread) {
	static const struct cap null;
	const struct slot *slot = thread_find(thread, thread->context.rdi);

	return slot ? &slot->cap : &null;
}
