// SPDX-License-Identifier: BSD-2-Clause
// From capability address to slot (CAP-1 to CAP-7).
#pragma once

#include <abi/error.h>
#include <cap/cap.h>

enum { LOOKUP_MAX_WORDS = 4 };

// Why an address names no slot, as reported in errors and faults (CAP-7): kind (enum
// lookup_failure_kind), bits left, bits found or guard, guard size.
struct lookup {
	uint64_t words[LOOKUP_MAX_WORDS];
};

// How many of the words describe a failure: the kinds are numbered so.
static inline unsigned lookup_length(const struct lookup *lookup) {
	_Static_assert(LOOKUP_INVALID_ROOT == 1 && LOOKUP_GUARD_MISMATCH == 4);
	return (unsigned)lookup->words[0];
}

// The slot that the low *left bits of address, 1..64, name from root, or null. *left bits are not
// consumed then.
struct slot *cspace_walk(const struct cap *root, uint64_t address, unsigned *left);

// The same for all 64 bits.
struct slot *cspace_find(const struct cap *root, uint64_t address);

// Why cspace_walk() finds none.
struct lookup cspace_failure(const struct cap *root, uint64_t address, unsigned left);

// Gives a cnode capability the guard of a data word (CAP-10). False if it does not fit.
[[nodiscard]] bool cap_set_guard(struct cap *cap, uint64_t data);

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
