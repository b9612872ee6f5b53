// SPDX-License-Identifier: BSD-2-Clause
// From capability address to slot (CAP-1 to CAP-7), and windows: the slots that most
// capability addresses of a thread lead to, kept beside the thread so that finding one is a
// comparison.
#pragma once

#include <abi/error.h>
#include <sched/thread.h>

// The slot an address names, or why it names none, as reported in errors and faults (CAP-7).
struct lookup {
	struct slot *slot; // null if the lookup failed
	uint32_t failure; // enum lookup_failure_kind
	uint32_t bits_left; // address bits not consumed
	uint32_t bits_found; // depth mismatch
	uint32_t guard_size; // guard mismatch
	uint64_t guard; // guard mismatch
};

// Walks address (its low depth bits, 1..64) from root. A slot reached with bits left over is a
// success here.
struct lookup cspace_walk(const struct cap *root, uint64_t address, unsigned depth);

// The slot that all 64 bits of address name from root, possibly with bits left over, or null: then
// cspace_walk() has the reason.
struct slot *cspace_find(const struct cap *root, uint64_t address);

// Writes the words that describe a failure; returns how many.
unsigned lookup_failure_words(const struct lookup *lookup, uint64_t words[LOOKUP_MAX_WORDS]);

// Gives a cnode capability the guard of a data word (CAP-10). False if it does not fit.
[[nodiscard]] bool cap_set_guard(struct cap *cap, uint64_t data);

// What capability addresses mean to a thread.

// True if address names a slot within the window.
static inline bool thread_find_fast(
	const struct thread *thread, uint64_t address, struct slot **slot) {
	uint64_t index = address ^ thread->window.prefix;

	*slot = (struct slot *)((uint64_t)thread->window.slots + index * sizeof(struct slot));
	return likely(index < thread->window.count);
}

// The slot that address names, with left-over bits allowed (CAP-3), or null.
static inline struct slot *thread_find(const struct thread *thread, uint64_t address) {
	struct slot *slot;

	if (thread_find_fast(thread, address, &slot)) {
		if (!slot) __builtin_unreachable(); // a window has slots
		return slot;
	}
	return cspace_find(&thread->slots[THREAD_CSPACE].cap, address);
}

// Why address names no slot.
static inline struct lookup thread_find_failure(const struct thread *thread, uint64_t address) {
	return cspace_walk(&thread->slots[THREAD_CSPACE].cap, address, 64);
}

// The thread's capability space begins at root now. There may be no window for it.
void window_open(struct thread *thread, const struct cap *root);

void window_close(struct thread *thread);

// The capability in a slot with SLOT_ON_WAY is about to be deleted, moved or exchanged.
void window_slot_leaves(struct slot *slot);
