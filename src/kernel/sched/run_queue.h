// SPDX-License-Identifier: BSD-2-Clause
// The queues of a core (struct scheduler of percpu.h). Each of these acts on the core of its
// thread, whichever core calls it.
#pragma once

#include <cpu/lock.h>
#include <sched/refill.h>
#include <sched/thread_queue.h>

// Ready queues. struct cpu's ready_top follows.
void ready_append(struct thread *thread);
void ready_prepend(struct thread *thread);
void ready_remove(struct thread *thread);

// The first of the domain's threads run from now on.
void ready_enter(struct cpu *cpu, unsigned domain);

// Takes the first of the domain's highest priority; there is one.
struct thread *ready_take(struct cpu *cpu);

// The release queue: threads that wait for the next refill of their context. It is a leftist heap
// by time, whose root is due first. In a thread queue.previous is the left child, queue.next the
// right one, `partner` the parent, and is_released the length of the way down along right children,
// which is never longer than from the left child: so it is at most the logarithm of the heap's
// size.

static inline uint64_t release_time(const struct thread *thread) {
	return refill_head(thread->sched_context)->time;
}

// Both take O(log n). An inserted thread may have the next event: its core is to reschedule.
void release_insert(struct thread *thread);
void release_remove(struct thread *thread);

// The thread behind this one, in any order, or null; starts with the root.
const struct thread *release_next(const struct thread *thread);

// Panics if the queues of this core contradict themselves. Debug.
void run_queue_check(void);
