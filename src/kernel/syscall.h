// SPDX-License-Identifier: BSD-2-Clause
// System calls of the current thread (syscalls.md).
#pragma once

#include <stdint.h>

// Carries out system call number (rdx, all 64 bits) of the current thread. Its registers are in
// its frame, rip behind the SYSCALL and fault_ip on it.
void syscall_handle(uint64_t number);
