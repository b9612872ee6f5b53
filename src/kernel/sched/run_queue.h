// SPDX-License-Identifier: BSD-2-Clause
// The queues of a core: threads that could run, by priority, and threads that wait for their
// context's next refill, by time.
#pragma once

#include <sched/release_queue.h>
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

// Release queue. What is inserted may be due first: it asks for a new choice.
void release_insert(struct thread *thread);
void release_remove(struct thread *thread);

// Panics if the queues of this core contradict themselves. Debug.
void run_queue_check(void);

// Prints every queue of this core. Debug.
void run_queue_dump(void);
