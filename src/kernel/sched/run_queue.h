// SPDX-License-Identifier: BSD-2-Clause
// The queues of a core: threads that could run, by priority, and threads that wait for their
// context's next refill, by time.
#pragma once

#include <sched/sched_context.h>
#include <sched/thread_queue.h>

// Written only by its own core, inside the kernel, by the functions below.
struct scheduler {
	struct thread *ready[PRIORITIES];
	uint64_t ready_bits[PRIORITIES / 64];
	struct thread *release; // root of the release queue: due first
	struct thread idle;
};

// Ready queues. struct cpu's ready_top follows.
void ready_append(struct thread *thread);
void ready_prepend(struct thread *thread);
void ready_remove(struct thread *thread);

// Takes the first of the highest priority; there is one.
struct thread *ready_take(struct cpu *cpu);

// Release queue. An inserted thread may have the next event: schedule_request() is called.
void release_insert(struct thread *thread);
void release_remove(struct thread *thread);

// Panics if the queues of this core contradict themselves. Debug.
void run_queue_check(void);

// Prints every queue of this core. Debug.
void run_queue_dump(void);

// The release queue (release_queue.c) is a leftist heap by time, whose root is due first. In a
// thread queue.previous is the left child, queue.next the right one, `partner` the parent, and
// is_released the length of the way down along right children, which is never longer than from the
// left child: so it is at most the logarithm of the heap's size.

static inline uint64_t release_time(const struct thread *thread) {
	return refill_head(thread->sched_context)->time;
}

// Both take O(log n). root: of the heap; null: it is empty.
void release_queue_insert(struct thread **root, struct thread *thread);
void release_queue_remove(struct thread **root, struct thread *thread);

// The thread behind this one, in any order, or null; starts with the root.
const struct thread *release_queue_next(const struct thread *thread);
