// SPDX-License-Identifier: BSD-2-Clause
// The register frame of a user thread: saved at kernel entry, loaded at the exit.
#pragma once

#include <base/compiler.h>

// In the rflags of a frame, above what a register can hold: the thread did not enter by SYSCALL, so
// every register must be loaded, and struct trap holds the rest of them. In a frame without it RCX
// is rip and R11 is rflags, as SYSCALL left them (SDM 2B), and SYSRET may leave.
#define CONTEXT_WHOLE (1ul << 63)

#define CONTEXT_SYSCALL_SIZE 2 // bytes of SYSCALL

// Entry stubs push and the exit pops in this order; offsets.c publishes it to NASM. Two cache
// lines; fs_base and gs_base are with the thread's other data for a switch.
struct context {
	uint64_t r14, r13, r12;
	union {
		struct {
			uint64_t r10, r8, r9, r15;
		};
		uint64_t words[4]; // the same: words 0..3 of a message (MSG-6)
	};
	uint64_t rdi, rsi, rbp, rbx, rdx, rax;
	uint64_t rip; // where the thread continues
	uint64_t rflags; // and CONTEXT_WHOLE
	uint64_t rsp;
	uint64_t fs_base; // of a thread that does not run
	uint64_t gs_base;
};

#define CONTEXT_FRAME offsetof(struct context, fs_base)

_Static_assert(CONTEXT_FRAME == 128);

// What only exceptions and interrupts save; meaningful with CONTEXT_WHOLE.
struct trap {
	uint64_t rcx, r11;
	uint64_t fault_ip; // where the thread restarts: the SYSCALL or faulting instruction
};

#define CONTEXT_RFLAGS 0x202ul // interrupts on, and the bit that is always set
#define CONTEXT_RFLAGS_USER 0xed7ul // what a user may have (THR-11)

// Makes the frame of a system call whole, so that every register can be read and written.
static inline void context_complete(struct context *context, struct trap *trap) {
	if (context->rflags & CONTEXT_WHOLE) return;
	trap->rcx = context->rip;
	trap->r11 = context->rflags;
	trap->fault_ip = context->rip - CONTEXT_SYSCALL_SIZE;
	context->rflags |= CONTEXT_WHOLE;
}

// rip, fs_base and gs_base: a non-canonical value becomes 0 (THR-11).
static inline uint64_t context_clean_address(uint64_t value) {
	return (uint64_t)((int64_t)(value << 16) >> 16) == value ? value : 0;
}

// Registers of the message convention in a frame (SYS-2).
static inline uint64_t *context_badge(struct context *context) { return &context->rdi; }

static inline uint64_t *context_tag(struct context *context) { return &context->rsi; }
