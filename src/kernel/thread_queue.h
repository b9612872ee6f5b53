// SPDX-License-Identifier: BSD-2-Clause
// Queues of threads. A thread is in one at most: ready, release, endpoint or notification queue.
// The head is a pointer in the owner; head->queue.previous is the tail.
#pragma once

#include <kernel/thread.h>

static inline struct thread *thread_queue_tail(struct thread *const *head) {
	return *head ? (*head)->queue.previous : NULL;
}

// The thread before one that is in the queue, or null.
static inline struct thread *thread_queue_before(
	struct thread *const *head, const struct thread *thread) {
	return thread == *head ? NULL : thread->queue.previous;
}

// Puts thread behind before, or first if that is null.
void thread_queue_insert(struct thread **head, struct thread *before, struct thread *thread);

// Puts thread behind all of its priority or a higher one: first come first served among equals.
void thread_queue_insert_by_priority(struct thread **head, struct thread *thread);

void thread_queue_remove(struct thread **head, struct thread *thread);
