// SPDX-License-Identifier: BSD-2-Clause
// Fast paths of frequent system calls and faults. Each does all that the slow path would do, or
// nothing. It ends with a jump to one of the functions below, which do not return.
#pragma once

#include <stdint.h>

struct slot;

// Entered by a jump, with the frame of the current thread complete, and the program's RDI and RSI.
void fastpath_call(uint64_t address, uint64_t tag);
void fastpath_reply_recv(uint64_t address, uint64_t tag);
void fastpath_send(uint64_t address, uint64_t tag);

// Entered with the frame of the current thread whole.
void fastpath_exception(uint64_t vector, uint64_t code);

// The same with several cores up.
void fastpath_cores_call(uint64_t address, uint64_t tag);
void fastpath_cores_reply_recv(uint64_t address, uint64_t tag);
void fastpath_cores_send(uint64_t address, uint64_t tag);
void fastpath_cores_exception(uint64_t vector, uint64_t code);

// Runs the current thread.
void exit_to_user(void);

// Pass the system call or exception on to the slow path; they do not return in the kernel. In
// trap.asm.
void syscall_slow(void);
void call_slow(struct slot *slot); // a Call whose capability was already found
void exception_slow(uint64_t vector, uint64_t code);
