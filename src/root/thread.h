// SPDX-License-Identifier: BSD-2-Clause
// Threads of the initial task beside its first. They share its capabilities, have
// no IPC buffer, and so use only system calls without messages.
#pragma once

#include <sel4/sel4.h>

struct thread_plan {
	void (*entry)(void *argument); // never returns
	void *argument;
	seL4_CPtr space; // with this program in it; seL4_CapNull: its own
	seL4_Word *stack_end;
	seL4_Word core;
	seL4_Word priority;
	seL4_Word budget; // microseconds
	seL4_Word period;
	seL4_CPtr fault_endpoint; // or seL4_CapNull
};

struct thread {
	seL4_CPtr tcb;
	seL4_CPtr sched_context;
};

// Create a thread that is suspended at its entry point.
[[nodiscard]] seL4_Error thread_make(
	const seL4_BootInfo *bootinfo, const struct thread_plan *plan, struct thread *thread);
