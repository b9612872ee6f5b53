// SPDX-License-Identifier: BSD-2-Clause
// The release queue: threads that wait for the next refill of their context. It is a leftist heap
// by time, whose root is due first. In a thread queue.previous is the left child, queue.next the
// right one, `partner` the parent, and is_released the length of the way down along right children,
// which is never longer than from the left child: so it is at most the logarithm of the heap's
// size.
#pragma once

#include <sched/refill.h>
#include <sched/thread.h>

static inline uint64_t release_time(const struct thread *thread) {
	return refill_head(thread->sched_context)->time;
}

// Both take O(log n). root: of the heap; null: it is empty.
void release_queue_insert(struct thread **root, struct thread *thread);
void release_queue_remove(struct thread **root, struct thread *thread);

// The thread behind this one, in any order, or null; starts with the root.
const struct thread *release_queue_next(const struct thread *thread);
