// SPDX-License-Identifier: BSD-2-Clause
// From the running thread to the chosen one: time, spaces, registers, the exit path.
//
// schedule() ends an entry. Two ends of entries are so simple that they need no schedule(): a
// thread wakes up and nothing else happened (schedule_wake_last, and the fast paths, which have
// checked that), or the current thread yields to the next of its priority (schedule_yield).
#pragma once

#include <sched/schedule.h>

// Slow path of schedule().
enum exit_path schedule_slow(void);

// The end of each entry: chooses the thread that runs next, switches to it, and returns the exit
// path. Whether time requires a choice was determined by budget_is_left() of ipc/fault.h.
static inline enum exit_path schedule(void) {
	return likely(schedule_is_settled(this_cpu())) ? EXIT_TO_USER : schedule_slow();
}

// The current thread goes on with its program after its guest, if its turn is not over.
[[nodiscard]] bool switch_to_monitor(struct cpu *cpu);

// How far the thread's priority is above that of the current thread.
static inline int priority_above_current(const struct thread *thread, const struct cpu *cpu) {
	return thread->priority - cpu->current->priority;
}

// The thread, RUNNING and in no queue, is known to have budget (schedule_may_use_now): switches to
// it from the current thread, whose priority is lower. The clock must have been read.
void switch_preempting(struct thread *thread, struct cpu *cpu);

// Decides by priority alone about a thread as switch_preempting() takes it: it runs at once, or is
// queued and the current thread continues with its program. above: its priority_above_current().
static inline void switch_or_queue(struct thread *thread, struct cpu *cpu, int above) {
	if (above > 0)
		switch_preempting(thread, cpu);
	else if (above == 0)
		ready_append(thread);
	else
		ready_prepend(thread);
}

// The thread, which has waited and has a context, is RUNNING. For ends of entries: nothing else may
// follow that changes who runs. Decides by priority if it can, otherwise proposes the thread.
void schedule_wake_last(struct thread *thread);

// The current thread gives up its head refill (SCHED-17).
void schedule_yield(void);
