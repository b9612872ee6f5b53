// SPDX-License-Identifier: BSD-2-Clause
// Resolution of capability addresses, and what a cache of a capability space shows.
#include <cap/cspace.h>

#include <base/bits.h>
#include <base/panic.h>
#include <cap/derive.h>

// Walks from *cnode by the *left bits at the top of address: the slot that they name, possibly with
// bits left over, or null. *cnode is the last one reached, and *left bits remain.
[[gnu::always_inline]] static inline struct slot *walk(
	const struct cap **cnode, uint64_t address, unsigned *left) {
	for (const struct cap *cap = *cnode;; *cnode = cap) {
		unsigned wanted = cap->cnode.guard_size + cap->size_bits;
		struct slot *slot = cap_object(cap);
		uint64_t bits;

		if (cap->type != CAP_CNODE || wanted > *left) return NULL;
		bits = address >> (64 - wanted);
		if (bits >> cap->size_bits != cap->cnode.guard) return NULL;
		slot += bits & (cnode_slot_count(cap) - 1);
		*left -= wanted;
		if (*left == 0 || slot->cap.type != CAP_CNODE) return slot;
		address <<= wanted;
		cap = &slot->cap;
	}
}

struct slot *cspace_walk(const struct cap *cnode, uint64_t address, unsigned *left) {
	// The distance has six bits: where there is no cnode, *left may be any number.
	return walk(&cnode, address << (-*left & 63), left);
}

struct slot *cspace_find(const struct cap *cnode, uint64_t address) {
	unsigned left = 64;

	return walk(&cnode, address, &left);
}

struct lookup cspace_failure(const struct cap *cnode, uint64_t address, unsigned left) {
	const struct slot *slot = walk(&cnode, address << (-left & 63), &left);
	unsigned guard_size = cnode->cnode.guard_size;
	uint64_t guard = cnode->cnode.guard;

	assert(!slot);
	if (cnode->type != CAP_CNODE) return (struct lookup){{LOOKUP_INVALID_ROOT}};
	// guard_size is below 64, so the shift distance is 64 only for an empty guard.
	if (guard_size > left ||
		(guard_size && guard != (address >> (left - guard_size) & bits_mask(guard_size))))
		return (struct lookup){{LOOKUP_GUARD_MISMATCH, left, guard, guard_size}};
	return (struct lookup){{LOOKUP_DEPTH_MISMATCH, left, guard_size + cnode->size_bits}};
}

bool cap_set_guard(struct cap *cap, uint64_t data) {
	unsigned size = data & 63;

	if (cap->size_bits + size > 64) return false;
	cap->word = (data >> 6 & bits_mask(size)) << 6 | size;
	return true;
}

static unsigned bits_of(const struct cap *cnode) {
	return cnode->cnode.guard_size + cnode->size_bits;
}

static bool may_cache(const struct slot *slot) {
	unsigned count = 0;

	while (count < CSPACE_CACHES && (slot = derive_cache_copy(slot)))
		count++;
	return count < CSPACE_CACHES;
}

static void show(struct cspace_cache *cache, const struct cap *cnode, uint64_t prefix) {
	cache->prefix = prefix | (uint64_t)cnode->cnode.guard << cnode->size_bits;
	cache->count = cnode_slot_count(cnode);
	cache->slots = cap_object(cnode);
}

void cspace_cache_set(struct cspace_cache *cache, struct slot *copy, const struct cap *root) {
	struct slot *first = root ? cap_object(root) : NULL;
	unsigned bits = root ? bits_of(root) : 0;

	cache->count = 0;
	if (!slot_is_empty(copy)) derive_remove(copy);
	if (bits == 64) return show(cache, root, 0);
	if (!first || first->cap.type != CAP_CNODE || bits + bits_of(&first->cap) != 64 ||
		!may_cache(first))
		return;
	derive_insert_cache_copy(copy, first);
	show(cache, &first->cap, (uint64_t)root->cnode.guard << root->size_bits << (64 - bits));
}
