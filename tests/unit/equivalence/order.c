// SPDX-License-Identifier: BSD-2-Clause
// A thread that a fast path makes ready is queued at the right end of its level (SCHED-21,
// SCHED-22).
#include "run.h"

#include <cpu/percpu.h>
#include <sched/run_queue.h>
#include <stdio.h>
#include <stdlib.h>

void order_note(struct run *run) {
	run->was_current = this_cpu()->current;
	for (unsigned i = 0; i < THREADS; i++)
		run->was_queued[i] = run->world.threads[i]->is_queued;
}

// The previous current thread is first if another one preempted it, and so is a thread of another
// priority; one of the current thread's priority, which continues, is last.
static bool is_placed(const struct run *run, const struct thread *thread) {
	const struct cpu *cpu = this_cpu();
	const struct thread *first = cpu->scheduler.ready[thread->priority];

	if (thread != run->was_current && thread->priority == cpu->current->priority)
		return first->queue.previous == thread;
	return first == thread;
}

void order_check(const struct run *run, const char *path) {
	for (unsigned i = 0; i < THREADS; i++) {
		const struct thread *thread = run->world.threads[i];

		if (!thread->is_queued || run->was_queued[i] || is_placed(run, thread)) continue;
		printf("equivalence: seed %lu, operation %lu: %s leaves thread %u at the wrong "
		       "end of its level\n",
			run->seed, run->operations, path, i);
		fflush(stdout);
		exit(1);
	}
}
