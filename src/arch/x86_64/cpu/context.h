// SPDX-License-Identifier: BSD-2-Clause
// The register frame of a user thread: what entry saves and the way out loads.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How the thread last entered the kernel, and so how it may leave.
enum context_return {
	CONTEXT_SYSRET = 0, // by SYSCALL: rcx and r11 are already lost, SYSRET is allowed
	CONTEXT_IRET = 1, // every register must be loaded
};

// Entry stubs store straight into this structure; offsets.c publishes the offsets to NASM.
// rip is where the thread continues; fault_ip is where it restarts: the SYSCALL or faulting
// instruction (usercontext.md 1). trap.asm also knows the order of the first fifteen.
struct context {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t rip;
	uint64_t rflags;
	uint64_t rsp;
	uint64_t fault_ip;
	uint64_t how; // enum context_return
	uint64_t fs_base;
	uint64_t gs_base;
	uint64_t vector; // exceptions: vector and error code of the last one
	uint64_t error_code;
	uint64_t fault_address; // CR2 at the last page fault
};

#define CONTEXT_RFLAGS 0x202ul // interrupts on, and the bit that is always set

// Frame of a new thread: all zero, interrupts on (usercontext.md 3).
static inline void context_init(struct context *context) {
	*context = (struct context){.rflags = CONTEXT_RFLAGS, .how = CONTEXT_IRET};
}

// rflags a user may have: usercontext.md 2.
static inline uint64_t context_clean_rflags(uint64_t value) {
	return ((value | CONTEXT_RFLAGS) & ~0x128ul) & 0xfff;
}

// rip, fs_base and gs_base: a non-canonical value becomes 0 (usercontext.md 2).
static inline uint64_t context_clean_address(uint64_t value) {
	return (uint64_t)((int64_t)(value << 16) >> 16) == value ? value : 0;
}
