// SPDX-License-Identifier: BSD-2-Clause
// CNodes: arrays of slots, and what may be changed about a capability on its way between them.
#pragma once

#include <kernel/cap.h>

// A capability to a new cnode of 2^radix empty slots in cleared memory.
struct cap cnode_create(void *memory, unsigned radix, bool device);

// Takes away the rights that are not in mask, as the kind of *cap counts them (objects.md 3).
void cap_mask_rights(struct cap *cap, uint64_t mask);

// Gives a cnode capability the guard of a data word (objects.md 4). False if it does not fit.
[[nodiscard]] bool cap_set_guard(struct cap *cap, uint64_t data);
