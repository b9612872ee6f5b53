// SPDX-License-Identifier: BSD-2-Clause
// Windows: the slots that most capability addresses of a thread lead to, kept beside the thread so
// that finding one is a comparison.
#pragma once

#include <cap/cap.h>

// slot = slots[address ^ prefix], if that is below count. No window: count 0.
struct cspace_window {
	uint64_t prefix, count;
	struct slot *slots;
};

// The capability space begins at root now. There may be no window for it.
void window_open(struct cspace_window *window, const struct cap *root);

void window_close(struct cspace_window *window);

// The capability in a slot with SLOT_ON_WAY is about to be deleted, moved or exchanged.
void window_slot_leaves(struct slot *slot);
