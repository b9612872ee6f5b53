// SPDX-License-Identifier: BSD-2-Clause
// State of one core. Reached through GS inside the kernel; touched by its own core only.
#pragma once

#include <stdint.h>

struct thread;
struct vcpu;
struct fpu_state;
struct scheduler;
struct context;

// What the assembler must do to leave the kernel; the C side of each entry returns it.
enum way_out {
	WAY_OUT_USER = 0, // load current_context, SYSRET or IRETQ as its `how` says
	WAY_OUT_GUEST = 1, // VM entry of `guest`
	WAY_OUT_IDLE = 2, // wait for an interrupt
};

struct cpu {
	struct cpu *self; // at gs:0
	struct context *current_context; // register frame of the thread that runs; set by schedule
	uint64_t kernel_stack; // top of the only stack
	uint64_t scratch; // entry parks the user's rsp here

	struct thread *current; // who runs; the idle thread when nobody can
	struct scheduler *scheduler; // queues and time of this core
	struct vcpu *guest; // whose VM entry WAY_OUT_GUEST means
	struct vcpu *vmcs_loaded; // whose VMCS is current on this core, or null
	struct vcpu *debug_owner; // whose DR0 to DR3 the registers hold, or null
	struct vcpu *msr_bitmap_owner; // whose rights the MSR bitmap holds, or null
	struct fpu_state *fpu_owner; // whose registers the FPU holds, or null
	struct thread *bases_owner; // whose FS and GS base are loaded, or null
	uint64_t space_root; // what CR3 holds
	uint64_t xcr0; // what XCR0 holds (fpu.c)
	uint64_t deadline; // what the timer is set to; all ones: nothing (clock.c)

	uint32_t fpu_denied; // CR0.TS is set (fpu.c)
};

// The only access to struct cpu. GS holds its address whenever C code of the kernel runs.
static inline struct cpu *this_cpu(void) {
	struct cpu *cpu;

	asm("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}
