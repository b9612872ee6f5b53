// SPDX-License-Identifier: BSD-2-Clause
// What capability addresses mean to a thread.
#pragma once

#include <kernel/thread.h>

// True if address names a slot within the window.
static inline bool thread_find_soon(
	const struct thread *thread, uint64_t address, struct slot **slot) {
	uint64_t index = address ^ thread->window.prefix;

	*slot = (struct slot *)((uint64_t)thread->window.slots + index * sizeof(struct slot));
	return likely(index < thread->window.count);
}

// The slot that address names, with left-over bits allowed (semantics.md A3), or null.
static inline struct slot *thread_find(const struct thread *thread, uint64_t address) {
	struct slot *slot;

	if (thread_find_soon(thread, address, &slot)) {
		if (!slot) __builtin_unreachable(); // a window has slots
		return slot;
	}
	return cspace_find(&thread->slots[THREAD_CSPACE].cap, address);
}

// Why address names no slot.
static inline struct lookup thread_find_failure(const struct thread *thread, uint64_t address) {
	return cspace_walk(&thread->slots[THREAD_CSPACE].cap, address, 64);
}
