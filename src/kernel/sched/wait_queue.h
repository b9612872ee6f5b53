// SPDX-License-Identifier: BSD-2-Clause
// Queues of endpoints and notifications: by priority, first come first served among equals.
//
// The threads of one priority are a level. The first and the last of a level of several threads
// point to each other by `partner`, so a joining thread passes a level in one step.
#pragma once

#include <sched/thread_queue.h>

static inline void level_link(struct thread *first, struct thread *last) {
	first->partner = last;
	last->partner = first;
}

// wait_queue_insert() into a queue that is not empty. Takes O(priorities).
void wait_queue_join(struct thread **head, struct thread *thread);

static inline void wait_queue_insert(struct thread **head, struct thread *thread) {
	if (likely(!*head)) return thread_queue_start(head, thread);
	wait_queue_join(head, thread);
}

void wait_queue_remove(struct thread **head, struct thread *thread);

// The queue is not empty.
static inline void wait_queue_take_first(struct thread **head) {
	struct thread *first = *head;
	struct thread *next = first->queue.next;

	thread_queue_take_first(head);
	if (next && next->priority == first->priority) level_link(next, first->partner);
}
