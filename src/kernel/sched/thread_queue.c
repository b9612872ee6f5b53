// SPDX-License-Identifier: BSD-2-Clause
// Joining and leaving wait queues.
#include <sched/thread_queue.h>

static bool is_equal(const struct thread *one, const struct thread *other) {
	return one && other && one->priority == other->priority;
}

// The first of the level that ends with last.
static struct thread *level_first(struct thread **head, struct thread *last) {
	return is_equal(thread_queue_before(head, last), last) ? last->partner : last;
}

void wait_queue_join(struct thread **head, struct thread *thread) {
	struct thread *before = (*head)->queue.previous;

	while (before && before->priority < thread->priority)
		before = thread_queue_before(head, level_first(head, before));
	if (is_equal(before, thread)) level_link(level_first(head, before), thread);
	thread_queue_insert(head, before, thread);
}

void wait_queue_remove(struct thread **head, struct thread *thread) {
	struct thread *before = thread_queue_before(head, thread), *next = thread->queue.next;
	bool is_first = !is_equal(before, thread), is_last = !is_equal(next, thread);

	if (is_first && !is_last) level_link(next, thread->partner);
	if (is_last && !is_first) level_link(thread->partner, before);
	thread_queue_remove(head, thread);
}
