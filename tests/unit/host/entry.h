// SPDX-License-Identifier: BSD-2-Clause
// Kernel entry and exit as trap.asm makes them, for programs that are functions of a test.
#pragma once

#include "host.h"

#include <cpu/percpu.h>

// Each leaves in host_core()->way where the core goes on.

// The program of the current thread makes the system call that its registers name.
void entry_syscall(void);

// It raises an exception.
void entry_exception(unsigned vector, unsigned code);

// An interrupt arrives while a program, a guest or the idle loop runs.
void entry_interrupt(unsigned vector);
// The guest asks its monitor for something.
void entry_guest_exit(void);
