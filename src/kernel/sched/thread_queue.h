// SPDX-License-Identifier: BSD-2-Clause
// Queues of threads. A thread is in one at most: ready, release, endpoint or notification queue.
// The head is a pointer in the owner; head->queue.previous is the tail.
//
// The queues of endpoints and notifications, wait queues, are by priority, first come first served
// among equals. The threads of one priority are a level. The first and the last of a level of
// several threads point to each other by `partner`, so a joining thread passes a level in one step.
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
	struct thread *next = thread->queue.next, *previous = thread->queue.previous;

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
	struct thread *first = *head, *next = first->queue.next;

	*head = next;
	if (next) next->queue.previous = first->queue.previous;
}

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
	struct thread *first = *head, *next = first->queue.next;

	thread_queue_take_first(head);
	if (next && next->priority == first->priority) level_link(next, first->partner);
}
