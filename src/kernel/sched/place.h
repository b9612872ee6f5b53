// SPDX-License-Identifier: BSD-2-Clause
// On which core a thread is. What another core has of a thread, it gives back while this one, which
// runs alone, waits: before the thread's registers or state are touched, or it goes elsewhere.
#pragma once

#include <sched/schedule.h>

// Some core has the thread as its current one, and it may be this one: makes it a ready thread like
// any other. Its core becomes idle until it chooses again.
void thread_park(struct thread *thread);

// Afterwards no other core runs the thread. First in all that changes a thread which may run.
static inline void thread_stop(struct thread *thread) {
	const struct cpu *cpu = thread->cpu;

	if (unlikely(cpu != this_cpu()) && cpu->current == thread) thread_park(thread);
}

// The thread, which is in no queue, runs on this core from now on, and at once if it can. Null: it
// stays where it is.
void thread_place(struct thread *thread, struct cpu *cpu);

// No core's FPU has the thread's registers any more; they are saved.
void thread_take_fpu(struct thread *thread);
