// SPDX-License-Identifier: BSD-2-Clause
// Doubly linked queues of threads.
#include <kernel/thread_queue.h>

void thread_queue_insert(struct thread **head, struct thread *before, struct thread *thread) {
	struct thread *next = before ? before->queue.next : *head;

	thread->queue.next = next;
	thread->queue.previous = before ? before : next ? next->queue.previous : thread;
	if (next)
		next->queue.previous = thread;
	else if (before)
		(*head)->queue.previous = thread;
	if (before)
		before->queue.next = thread;
	else
		*head = thread;
}

void thread_queue_insert_by_priority(struct thread **head, struct thread *thread) {
	struct thread *before = thread_queue_tail(head);

	// From the tail: with one priority only this is O(1).
	while (before && before->priority < thread->priority)
		before = thread_queue_before(head, before);
	thread_queue_insert(head, before, thread);
}

void thread_queue_remove(struct thread **head, struct thread *thread) {
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
