// SPDX-License-Identifier: BSD-2-Clause
// The heap of threads that wait for time.
#include <sched/release_queue.h>

static unsigned rank(const struct thread *thread) { return thread ? thread->is_released : 0; }

// Children changed: false if that changes nothing for the parent.
static bool settle(struct thread *thread) {
	struct thread_link *children = &thread->queue;
	uint8_t before = thread->is_released;

	if (rank(children->previous) < rank(children->next))
		*children = (struct thread_link){children->previous, children->next};
	thread->is_released = (uint8_t)(rank(children->next) + 1);
	return thread->is_released != before;
}

// Joins two heaps below parent, along their right children; returns the root.
static struct thread *merge(struct thread *parent, struct thread *one, struct thread *other) {
	struct thread *root = NULL;
	struct thread *above = parent;
	struct thread **link = &root;

	while (one && other) {
		struct thread *first = release_time(other) < release_time(one) ? other : one;

		if (first == other) other = one;
		*link = first;
		first->partner = above;
		above = first;
		link = &first->queue.next;
		one = *link;
	}
	*link = one ? one : other;
	if (*link) (*link)->partner = above;
	for (; above != parent; above = above->partner)
		settle(above);
	return root;
}

void release_queue_insert(struct thread **root, struct thread *thread) {
	thread->queue = (struct thread_link){};
	thread->is_released = 1;
	*root = merge(NULL, *root, thread);
}

void release_queue_remove(struct thread **root, struct thread *thread) {
	struct thread *parent = thread->partner;
	struct thread *rest = merge(parent, thread->queue.previous, thread->queue.next);

	if (!parent)
		*root = rest;
	else if (parent->queue.next == thread)
		parent->queue.next = rest;
	else
		parent->queue.previous = rest;
	while (parent && settle(parent))
		parent = parent->partner;
	thread->is_released = 0;
}

const struct thread *release_queue_next(const struct thread *thread) {
	const struct thread *parent = thread->partner;

	if (thread->queue.previous) return thread->queue.previous;
	while (parent && (parent->queue.next == thread || !parent->queue.next)) {
		thread = parent;
		parent = parent->partner;
	}
	return parent ? parent->queue.next : NULL;
}
