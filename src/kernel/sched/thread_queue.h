// SPDX-License-Identifier: BSD-2-Clause
// Queues of threads. A thread is in one at most: ready, release, endpoint or notification queue.
// The head is a pointer in the owner; head->queue.previous is the tail.
#pragma once

#include <sched/thread.h>

// The thread before one that is in the queue, or null.
static inline struct thread *thread_queue_before(
	struct thread *const *head, const struct thread *thread) {
	return thread == *head ? NULL : thread->queue.previous;
}

// The queue is empty.
static inline void thread_queue_start(struct thread **head, struct thread *thread) {
	thread->queue = (struct thread_link){NULL, thread};
	*head = thread;
}

static inline void thread_queue_append(struct thread **head, struct thread *thread) {
	struct thread *first = *head;

	if (!first) return thread_queue_start(head, thread);
	thread->queue = (struct thread_link){NULL, first->queue.previous};
	first->queue.previous->queue.next = thread;
	first->queue.previous = thread;
}

static inline void thread_queue_prepend(struct thread **head, struct thread *thread) {
	struct thread *first = *head;

	if (!first) return thread_queue_start(head, thread);
	thread->queue = (struct thread_link){first, first->queue.previous};
	first->queue.previous = thread;
	*head = thread;
}

// Puts thread behind before, which is in the queue, or first if that is null.
static inline void thread_queue_insert(
	struct thread **head, struct thread *before, struct thread *thread) {
	struct thread *next;

	if (!before) return thread_queue_prepend(head, thread);
	next = before->queue.next;
	thread->queue = (struct thread_link){next, before};
	before->queue.next = thread;
	(next ? next : *head)->queue.previous = thread;
}

static inline void thread_queue_remove(struct thread **head, struct thread *thread) {
	struct thread *next = thread->queue.next;
	struct thread *previous = thread->queue.previous;

	if (*head == thread)
		*head = next;
	else
		previous->queue.next = next;
	if (next)
		next->queue.previous = previous;
	else if (*head)
		(*head)->queue.previous = previous;
}

// The queue is not empty.
static inline void thread_queue_take_first(struct thread **head) {
	struct thread *first = *head;
	struct thread *next = first->queue.next;

	*head = next;
	if (next) next->queue.previous = first->queue.previous;
}
