// SPDX-License-Identifier: BSD-2-Clause
// The queues of a core (struct scheduler of percpu.h). Each of these acts on the core of its
// thread, whichever core calls it.
#pragma once

#include <sched/release_queue.h>
#include <sched/thread_queue.h>

// Ready queues. struct cpu's ready_top follows.
void ready_append(struct thread *thread);
void ready_prepend(struct thread *thread);
void ready_remove(struct thread *thread);

// Takes the first of the highest priority; there is one.
struct thread *ready_take(struct cpu *cpu);

// Release queue. An inserted thread may have the next event: its core is to reschedule.
void release_insert(struct thread *thread);
void release_remove(struct thread *thread);

// Panics if the queues of this core contradict themselves. Debug.
void run_queue_check(void);

// Prints every queue of this core. Debug.
void run_queue_dump(void);
