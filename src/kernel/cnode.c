// SPDX-License-Identifier: BSD-2-Clause
// CNode operations: copy, mint, move, mutate, rotate, delete, revoke (semantics.md B, C).
#include <kernel/cnode.h>

#include <base/bits.h>
#include <kernel/derive.h>
#include <kernel/endpoint.h>
#include <kernel/invocation.h>
#include <kernel/object.h>

enum {
	GUARD_SIZE_BITS = 6,
	ADDRESS_BITS = 64,
};

struct cap cnode_create(void *memory, unsigned radix, bool device) {
	struct cap cap = cap_make(CAP_CNODE, memory);

	(void)device;
	cap.size_bits = radix & 0x3f;
	return cap;
}

void cap_mask_rights(struct cap *cap, uint64_t mask) {
	unsigned rights = cap->rights & mask & RIGHTS_ALL;

	if (cap->type == CAP_FRAME)
		cap->rights = rights & RIGHT_READ ? rights & (RIGHT_READ | RIGHT_WRITE) : 0;
	else if (cap->type == CAP_ENDPOINT || cap->type == CAP_NOTIFICATION ||
		cap->type == CAP_REPLY)
		cap->rights = rights & RIGHTS_ALL;
}

bool cap_set_guard(struct cap *cap, uint64_t data) {
	unsigned size = (unsigned)(data & bits_mask(GUARD_SIZE_BITS));

	if (cap->size_bits + size > ADDRESS_BITS) return false;
	cap->word = (data >> GUARD_SIZE_BITS & bits_mask(size)) << GUARD_SIZE_BITS | size;
	return true;
}

// The data word of Mint: a badge or a guard.
static bool cap_apply_badge_or_guard(struct cap *cap, uint64_t data) {
	if (cap->type == CAP_CNODE) return cap_set_guard(cap, data);
	if (cap->type != CAP_ENDPOINT && cap->type != CAP_NOTIFICATION) return true;
	if (cap->badge != 0) return false;
	cap->badge = data;
	return true;
}

// The data word of Mutate and Rotate: a badge cannot be given to a capability that exists.
static bool cap_apply_guard(struct cap *cap, uint64_t data) {
	if (cap->type == CAP_CNODE) return cap_set_guard(cap, data);
	return cap->type != CAP_ENDPOINT && cap->type != CAP_NOTIFICATION;
}

enum error object_derive(const struct slot *slot, struct cap *cap) {
	const struct object_ops *ops = &object_ops[slot->cap.type];

	return ops->derive ? ops->derive(slot, cap) : ERROR_NONE;
}

// Where the invoked cnode's (index, depth) in words 0 and 1 points.
static enum error cnode_target(struct invocation *invocation, struct slot **slot) {
	return invocation_target_slot(invocation, &invocation->slot->cap,
		invocation_word(invocation, 0), invocation_word(invocation, 1), slot);
}

// Destination and source of Copy, Mint, Move and Mutate, which have the same first four words.
static enum error cnode_target_and_source(
	struct invocation *invocation, struct slot **destination, struct slot **source) {
	struct slot_address address;
	enum error error = cnode_target(invocation, destination);

	if (error) return error;
	if (invocation->length < 4 || invocation->cap_count < 1) return ERROR_TRUNCATED_MESSAGE;
	if (!slot_is_empty(*destination)) return ERROR_DELETE_FIRST;
	address = (struct slot_address){
		.root = &invocation->caps[0]->cap,
		.index = invocation_word(invocation, 2),
		.depth = invocation_word(invocation, 3),
	};
	error = invocation_source_slot(invocation, &address, source);
	if (error) return error;
	if (slot_is_empty(*source))
		return error_missing(invocation, LOOKUP_SOURCE, (unsigned)address.depth);
	return ERROR_NONE;
}

enum error cnode_revoke(struct invocation *invocation) {
	struct slot *slot;
	enum error error = cnode_target(invocation, &slot);

	return error ? error : slot_revoke(slot);
}

enum error cnode_delete(struct invocation *invocation) {
	struct slot *slot;
	enum error error = cnode_target(invocation, &slot);

	return error ? error : slot_delete(slot);
}

enum error cnode_cancel_badged_sends(struct invocation *invocation) {
	struct slot *slot;
	enum error error = cnode_target(invocation, &slot);

	if (error) return error;
	if (slot->cap.type != CAP_ENDPOINT || slot->cap.rights != RIGHTS_ALL)
		return ERROR_ILLEGAL_OPERATION;
	if (slot->cap.badge != 0) endpoint_cancel_badged(cap_object(&slot->cap), slot->cap.badge);
	return ERROR_NONE;
}

// What Copy and Mint do once rights and data are applied.
static enum error copy_finish(struct slot *destination, struct cap cap, struct slot *source) {
	enum error error = object_derive(source, &cap);

	if (error) return error;
	if (cap.type == CAP_NULL) return ERROR_ILLEGAL_OPERATION;
	cap_copy_into(destination, cap, source);
	return ERROR_NONE;
}

enum error cnode_copy(struct invocation *invocation) {
	struct slot *destination;
	struct slot *source;
	struct cap cap;
	enum error error = cnode_target_and_source(invocation, &destination, &source);

	if (error) return error;
	if (invocation->length < 5) return ERROR_TRUNCATED_MESSAGE;
	cap = source->cap;
	cap_mask_rights(&cap, invocation_word(invocation, 4));
	return copy_finish(destination, cap, source);
}

enum error cnode_mint(struct invocation *invocation) {
	struct slot *destination;
	struct slot *source;
	struct cap cap;
	enum error error = cnode_target_and_source(invocation, &destination, &source);

	if (error) return error;
	if (invocation->length < 6) return ERROR_TRUNCATED_MESSAGE;
	cap = source->cap;
	cap_mask_rights(&cap, invocation_word(invocation, 4));
	if (!cap_apply_badge_or_guard(&cap, invocation_word(invocation, 5)))
		return ERROR_ILLEGAL_OPERATION;
	return copy_finish(destination, cap, source);
}

enum error cnode_move(struct invocation *invocation) {
	struct slot *destination;
	struct slot *source;
	enum error error = cnode_target_and_source(invocation, &destination, &source);

	if (error) return error;
	derive_move(destination, source);
	return ERROR_NONE;
}

enum error cnode_mutate(struct invocation *invocation) {
	struct slot *destination;
	struct slot *source;
	struct cap cap;
	enum error error = cnode_target_and_source(invocation, &destination, &source);

	if (error) return error;
	if (invocation->length < 5) return ERROR_TRUNCATED_MESSAGE;
	cap = source->cap;
	if (!cap_apply_guard(&cap, invocation_word(invocation, 4))) return ERROR_ILLEGAL_OPERATION;
	derive_move(destination, source);
	destination->cap = cap;
	return ERROR_NONE;
}

// The three slots of Rotate: destination <- pivot, pivot <- source.
struct rotation {
	struct slot *destination;
	struct slot *pivot;
	struct slot *source;
};

static enum error rotation_find(struct invocation *invocation, struct rotation *rotation) {
	struct slot_address pivot;
	struct slot_address source;
	enum error error = cnode_target(invocation, &rotation->destination);

	if (error) return error;
	if (invocation->length < 8 || invocation->cap_count < 2) return ERROR_TRUNCATED_MESSAGE;
	pivot = (struct slot_address){.root = &invocation->caps[0]->cap,
		.index = invocation_word(invocation, 3),
		.depth = invocation_word(invocation, 4)};
	source = (struct slot_address){.root = &invocation->caps[1]->cap,
		.index = invocation_word(invocation, 6),
		.depth = invocation_word(invocation, 7)};
	error = invocation_source_slot(invocation, &source, &rotation->source);
	if (error) return error;
	error = invocation_source_slot(invocation, &pivot, &rotation->pivot);
	if (error) return error;
	if (rotation->pivot == rotation->source || rotation->pivot == rotation->destination)
		return ERROR_ILLEGAL_OPERATION;
	if (rotation->source != rotation->destination && !slot_is_empty(rotation->destination))
		return ERROR_DELETE_FIRST;
	if (slot_is_empty(rotation->source))
		return error_missing(invocation, LOOKUP_SOURCE, (unsigned)source.depth);
	if (slot_is_empty(rotation->pivot))
		return error_missing(invocation, LOOKUP_TARGET, (unsigned)pivot.depth);
	return ERROR_NONE;
}

enum error cnode_rotate(struct invocation *invocation) {
	struct rotation rotation;
	struct cap pivot;
	struct cap source;
	enum error error = rotation_find(invocation, &rotation);

	if (error) return error;
	pivot = rotation.pivot->cap;
	source = rotation.source->cap;
	if (!cap_apply_guard(&source, invocation_word(invocation, 5)) ||
		!cap_apply_guard(&pivot, invocation_word(invocation, 2)))
		return ERROR_ILLEGAL_OPERATION;
	if (rotation.source == rotation.destination) {
		derive_swap(rotation.source, rotation.pivot);
	} else {
		derive_move(rotation.destination, rotation.pivot);
		derive_move(rotation.pivot, rotation.source);
	}
	rotation.destination->cap = pivot;
	rotation.pivot->cap = source;
	return ERROR_NONE;
}
