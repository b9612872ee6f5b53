// SPDX-License-Identifier: BSD-2-Clause
// Caches of capability spaces: the slots that most capability addresses of a thread lead to, kept
// beside the thread so that finding one is a comparison.
//
// A cache shows the one cnode of a space that consumes all 64 bits, or the cnode behind the first
// slot of the root, if the two consume all bits together. In the second case the thread keeps a
// copy of the first slot's capability, directly before it in derivation order:
//
//   ... -> copy of thread B -> copy of thread A -> first slot of their root -> ...
//
// So the caches through a slot are found beside it when its capability leaves (derive.h), and
// spaces share nothing: no component can take caches away from others.
#pragma once

#include <cap/cap.h>

// slot = slots[address ^ prefix], if that is below count. Nothing cached: count 0.
struct cspace_cache {
	uint64_t prefix, count;
	struct slot *slots;
};

// Threads that may cache through one slot, so that it leaves in bounded time. Further threads of
// the same space do without a cache.
enum { CSPACE_CACHES = 64 };

// The capability space begins at root now; null: there is none, as before each root. copy: the
// thread's slot for that purpose.
void cspace_cache_set(struct cspace_cache *cache, struct slot *copy, const struct cap *root);
