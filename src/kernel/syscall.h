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
