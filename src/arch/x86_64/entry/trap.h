// SPDX-License-Identifier: BSD-2-Clause
// The C side of each way into the kernel. The assembler calls one of these and takes the way out
// that it returns.
#pragma once

#include <cpu/percpu.h>

// SYSCALL; number is the program's RDX.
enum way_out trap_syscall(uint64_t number);

// Exception of a program: vector, error code and fault address stand in the current context.
enum way_out trap_exception(void);

// Device interrupt, timer, or INT n of a program.
enum way_out trap_interrupt(uint64_t vector);

// VM exit of this_cpu()->guest.
enum way_out trap_guest_exit(void);

// Registers of the kernel at an exception that must not happen, as trap.asm pushes them.
struct kernel_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error_code;
	uint64_t rip, cs, rflags, rsp, ss;
};

[[gnu::noreturn]] void trap_in_kernel(const struct kernel_frame *frame);
