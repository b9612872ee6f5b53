// SPDX-License-Identifier: BSD-2-Clause
// What a cache of a capability space shows.
#include <cap/cspace_cache.h>

#include <cap/derive.h>

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
