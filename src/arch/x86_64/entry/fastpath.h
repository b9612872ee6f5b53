// SPDX-License-Identifier: BSD-2-Clause
// The frequent system calls without detours. Each does all that the slow path would do, or nothing:
// then it leaves by syscall_slow(). On return the way out goes to the current thread.
#pragma once

#include <stdint.h>

// Entered with the frame of the current thread complete, and the program's RDI and RSI.
void fastpath_call(uint64_t address, uint64_t tag);
void fastpath_reply_recv(uint64_t address, uint64_t tag);

// Gives the system call to the slow path; does not return in the kernel. In trap.asm.
void syscall_slow(void);
