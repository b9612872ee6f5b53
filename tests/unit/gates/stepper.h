// SPDX-License-Identifier: BSD-2-Clause
// Executes code of the kernel one instruction at a time. Privileged instructions are recorded as a
// word and skipped; those that serve a mitigation are recorded and executed.
#pragma once

#include <cpu/percpu.h>
#include <stdbool.h>
#include <stdint.h>

// As the hardware numbers them.
enum step_register {
	STEP_RAX,
	STEP_RCX,
	STEP_RDX,
	STEP_RBX,
	STEP_RSP,
	STEP_RBP,
	STEP_RSI,
	STEP_RDI,
	STEP_R8,
	STEP_R11 = 11,
	STEP_REGISTERS = 16,
};

struct step_state {
	uint64_t registers[STEP_REGISTERS];
	uint64_t rip;
	bool is_kernel_gs; // GS is struct cpu, not the program's
};

#define STEP_KERNEL_CR3 0x1111000ul
#define STEP_PROGRAM_CR3 0x2222000ul
#define STEP_HOST_BLOCK 0x3333000ul
#define STEP_GUEST_BLOCK 0x4444000ul

enum {
	STEP_KERNEL_SPEC = 0x401,
	STEP_PROGRAM_SPEC = 0x400,
	STEP_GUEST_SPEC = 0x404,
	STEP_TRACE_SIZE = 512,
};

// The code's input, and the recorded words, each followed by a space.
extern struct cpu step_cpu;
extern enum exit_path step_way; // what C functions of the kernel return
extern uint64_t step_guest_entry; // what HOST_RIP must become
extern char step_trace[STEP_TRACE_SIZE];

// Once. It ends the program where the host cannot do it.
void step_init(void);

// Runs from the state on, and leaves it as it is where a program, a guest, or a C function that
// does not return would run.
void step_run(struct step_state *state);
