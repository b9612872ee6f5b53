// SPDX-License-Identifier: BSD-2-Clause
// Resolution of capability addresses, and the slots that invocations name by (root, index, depth).
#include <kernel/cspace.h>

#include <base/bits.h>
#include <kernel/derive.h>
#include <kernel/invocation.h>

static struct lookup lookup_fail(struct lookup_failure *failure, struct lookup_failure why) {
	*failure = why;
	return (struct lookup){};
}

struct lookup cspace_walk(
	const struct cap *root, uint64_t address, unsigned depth, struct lookup_failure *failure) {
	const struct cap *cnode = root;
	unsigned left = depth;

	if (root->type != CAP_CNODE)
		return lookup_fail(failure, (struct lookup_failure){.kind = LOOKUP_INVALID_ROOT});
	for (;;) {
		unsigned guard_size = cnode->cnode.guard_size;
		unsigned wanted = guard_size + cnode->size_bits;
		uint64_t guard = cnode->cnode.guard & bits_mask(guard_size);

		// guard_size is below 64, so with guard_size <= left the shift distance is 64 only
		// for an empty guard.
		if (guard_size > left ||
			(guard_size > 0 &&
				guard != (address >> (left - guard_size) & bits_mask(guard_size))))
			return lookup_fail(failure,
				(struct lookup_failure){.kind = LOOKUP_GUARD_MISMATCH,
					.bits_left = left,
					.guard = guard,
					.guard_size = guard_size});
		if (wanted > left)
			return lookup_fail(failure,
				(struct lookup_failure){.kind = LOOKUP_DEPTH_MISMATCH,
					.bits_left = left,
					.bits_found = wanted});
		left -= wanted;

		struct slot *slots = cap_object(cnode);
		struct slot *slot = &slots[address >> left & bits_mask(cnode->size_bits)];

		if (left == 0 || slot->cap.type != CAP_CNODE)
			return (struct lookup){.slot = slot, .bits_left = left};
		cnode = &slot->cap;
	}
}

static enum error slot_find(struct invocation *invocation, enum lookup_side side,
	const struct slot_address *address, struct slot **slot) {
	struct lookup_failure failure;
	struct lookup lookup;

	if (address->root->type != CAP_CNODE) {
		failure = (struct lookup_failure){.kind = LOOKUP_INVALID_ROOT};
		return error_lookup(invocation, side, &failure);
	}
	if (address->depth < 1 || address->depth > 64) return error_range(invocation, 1, 64);
	lookup = cspace_walk(address->root, address->index, (unsigned)address->depth, &failure);
	if (lookup.slot && lookup.bits_left > 0) {
		failure = (struct lookup_failure){
			.kind = LOOKUP_DEPTH_MISMATCH, .bits_left = lookup.bits_left};
		lookup.slot = NULL;
	}
	if (!lookup.slot) return error_lookup(invocation, side, &failure);
	*slot = lookup.slot;
	return ERROR_NONE;
}

enum error invocation_target_slot(struct invocation *invocation, const struct cap *root,
	uint64_t index, uint64_t depth, struct slot **slot) {
	struct slot_address address = {.root = root, .index = index, .depth = depth};

	return slot_find(invocation, LOOKUP_TARGET, &address, slot);
}

enum error invocation_empty_slot(struct invocation *invocation, const struct cap *root,
	uint64_t index, uint64_t depth, struct slot **slot) {
	enum error error = invocation_target_slot(invocation, root, index, depth, slot);

	if (error) return error;
	return slot_is_empty(*slot) ? ERROR_NONE : ERROR_DELETE_FIRST;
}

enum error invocation_source_slot(
	struct invocation *invocation, const struct slot_address *address, struct slot **slot) {
	return slot_find(invocation, LOOKUP_SOURCE, address, slot);
}
