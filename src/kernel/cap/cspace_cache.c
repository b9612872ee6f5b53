// SPDX-License-Identifier: BSD-2-Clause
// Opening and closing windows.
//
// A window shows the one cnode of a capability space that consumes all 64 bits, or the cnode behind
// the first slot of the root, if the two consume all bits together. That slot is on the way then:
// it has SLOT_ON_WAY, and when its capability leaves the windows behind it close. They are listed,
// so that one step closes them; a thread that finds the list full does without a window.
#include <cap/cspace.h>

enum { WAYS = 64 };

// Written by the functions below only. A null thread: free.
static struct way {
	struct slot *slot;
	struct thread *thread;
} ways[WAYS];

static struct way *way_free(void) {
	for (unsigned i = 0; i < WAYS; i++)
		if (!ways[i].thread) return &ways[i];
	return NULL;
}

static unsigned bits_of(const struct cap *cnode) {
	return cnode->cnode.guard_size + cnode->size_bits;
}

static void open(struct thread *thread, const struct cap *cnode, uint64_t prefix) {
	thread->window.prefix = prefix | (uint64_t)cnode->cnode.guard << cnode->size_bits;
	thread->window.count = cnode_slot_count(cnode);
	thread->window.slots = cap_object(cnode);
}

void window_open(struct thread *thread, const struct cap *root) {
	struct slot *first = cap_object(root);
	struct way *way = way_free();

	if (bits_of(root) == 64) return open(thread, root, 0);
	if (!way || first->cap.type != CAP_CNODE || bits_of(root) + bits_of(&first->cap) != 64)
		return;
	*way = (struct way){first, thread};
	first->next |= SLOT_ON_WAY;
	open(thread, &first->cap,
		(uint64_t)root->cnode.guard << root->size_bits << (64 - bits_of(root)));
}

void window_close(struct thread *thread) {
	thread->window.count = 0;
	for (unsigned i = 0; i < WAYS; i++)
		if (ways[i].thread == thread) ways[i].thread = NULL;
}

void window_slot_leaves(struct slot *slot) {
	slot->next &= ~(uint64_t)SLOT_ON_WAY;
	for (unsigned i = 0; i < WAYS; i++) {
		if (!ways[i].thread || ways[i].slot != slot) continue;
		ways[i].thread->window.count = 0;
		ways[i].thread = NULL;
	}
}
