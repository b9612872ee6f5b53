// SPDX-License-Identifier: BSD-2-Clause
// Debug system calls (syscalls.md 6): present in the debug build only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct thread;

// Carries out debug system call -index; false if the build has none of that number.
bool debug_syscall(struct thread *thread, uint64_t index);
