// SPDX-License-Identifier: BSD-2-Clause
// Opening and closing windows.
//
// A window shows the one cnode of a capability space that consumes all 64 bits, or the cnode behind
// the first slot of the root, if the two consume all bits together. That slot is on the way then:
// it has SLOT_ON_WAY, and when its capability leaves the windows behind it close. They are listed,
// so that one step closes them; a thread that finds the list full does without a window.
#include <cap/cspace_cache.h>

enum { WAYS = 64 };

// Written by the functions below only. A null window: free.
static struct way {
	struct slot *slot;
	struct cspace_window *window;
} ways[WAYS];

static struct way *way_free(void) {
	for (unsigned i = 0; i < WAYS; i++)
		if (!ways[i].window) return &ways[i];
	return NULL;
}

static unsigned bits_of(const struct cap *cnode) {
	return cnode->cnode.guard_size + cnode->size_bits;
}

static void open(struct cspace_window *window, const struct cap *cnode, uint64_t prefix) {
	window->prefix = prefix | (uint64_t)cnode->cnode.guard << cnode->size_bits;
	window->count = cnode_slot_count(cnode);
	window->slots = cap_object(cnode);
}

void window_open(struct cspace_window *window, const struct cap *root) {
	struct slot *first = cap_object(root);
	struct way *way = way_free();

	if (bits_of(root) == 64) return open(window, root, 0);
	if (!way || first->cap.type != CAP_CNODE || bits_of(root) + bits_of(&first->cap) != 64)
		return;
	*way = (struct way){first, window};
	first->next |= SLOT_ON_WAY;
	open(window, &first->cap,
		(uint64_t)root->cnode.guard << root->size_bits << (64 - bits_of(root)));
}

void window_close(struct cspace_window *window) {
	window->count = 0;
	for (unsigned i = 0; i < WAYS; i++)
		if (ways[i].window == window) ways[i].window = NULL;
}

void window_slot_leaves(struct slot *slot) {
	slot->next &= ~(uint64_t)SLOT_ON_WAY;
	for (unsigned i = 0; i < WAYS; i++) {
		if (!ways[i].window || ways[i].slot != slot) continue;
		ways[i].window->count = 0;
		ways[i].window = NULL;
	}
}
