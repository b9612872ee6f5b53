// SPDX-License-Identifier: BSD-2-Clause
// System calls of the current thread (syscalls.md).
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct thread;

// Carries out system call number (rdx, all 64 bits) of the current thread. Its registers are in
// its frame, rip behind the SYSCALL and fault_ip on it.
void syscall_handle(uint64_t number);

// Carries out debug system call -index (syscalls.md 6), which the debug build has; false if there
// is none of that number.
bool debug_syscall(struct thread *thread, uint64_t index);

// What must hold between two entries into the kernel. The debug build looks after each system call
// at the current thread and what hangs from it, and now and then at everything; whatever is not so
// is a panic that names the condition.
void check_after_call(void);

// Everything reachable from the current thread's capability space.
void check_everything(void);
