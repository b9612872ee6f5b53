// SPDX-License-Identifier: BSD-2-Clause
// CNode operations: copy, mint, move, mutate, rotate, delete, revoke (semantics.md B, C).
#include <kernel/derive.h>
#include <kernel/endpoint.h>
#include <kernel/invocation.h>
#include <kernel/object.h>

// Takes away the rights that are not in mask, as the kind of *cap counts them (objects.md 3).
static void cap_mask_rights(struct cap *cap, uint64_t mask) {
	unsigned rights = cap->rights & mask & RIGHTS_ALL;

	if (cap->type == CAP_FRAME)
		cap->rights = rights & RIGHT_READ ? rights & (RIGHT_READ | RIGHT_WRITE) : 0;
	else if (cap_has_badge(cap) || cap->type == CAP_REPLY)
		cap->rights = rights & RIGHTS_ALL;
}

// The data word of Mutate and Rotate: a badge cannot be given to a capability that exists.
static bool cap_apply_guard(struct cap *cap, uint64_t data) {
	return cap->type == CAP_CNODE ? cap_set_guard(cap, data) : !cap_has_badge(cap);
}

// The data word of Mint: a badge or a guard.
static bool cap_apply_badge_or_guard(struct cap *cap, uint64_t data) {
	if (!cap_has_badge(cap)) return cap_apply_guard(cap, data);
	if (cap->badge != 0) return false;
	cap->badge = data;
	return true;
}

enum error object_derive(const struct slot *slot, struct cap *cap) {
	const struct object_ops *ops = &object_ops[slot->cap.type];

	return ops->derive ? ops->derive(slot, cap) : ERROR_NONE;
}

// Where the invoked cnode's (index, depth) in words 0 and 1 points.
static enum error cnode_target(struct invocation *invocation, struct slot **slot) {
	return invocation_slot(invocation, LOOKUP_TARGET, &invocation->slot->cap, 0, slot);
}

// A source or pivot, named by words `word` and the next, must be filled.
static enum error check_filled(struct invocation *invocation, enum lookup_side side,
	const struct slot *slot, unsigned word) {
	if (!slot_is_empty(slot)) return ERROR_NONE;
	return error_missing(invocation, side, (unsigned)invocation_word(invocation, word + 1));
}

// A capability on its way: the slots that Copy, Mint, Move and Mutate name in their first four
// words, and what the capability becomes.
struct transport {
	struct slot *destination;
	struct slot *source;
	struct cap cap;
};

// words: how many the operation has.
static enum error transport_find(
	struct invocation *invocation, unsigned words, struct transport *transport) {
	enum error error = cnode_target(invocation, &transport->destination);

	if (error) return error;
	if (invocation->length < 4 || invocation->cap_count < 1) return ERROR_TRUNCATED_MESSAGE;
	if (!slot_is_empty(transport->destination)) return ERROR_DELETE_FIRST;
	error = invocation_slot(
		invocation, LOOKUP_SOURCE, &invocation->caps[0]->cap, 2, &transport->source);
	if (!error) error = check_filled(invocation, LOOKUP_SOURCE, transport->source, 2);
	if (error) return error;
	transport->cap = transport->source->cap;
	return invocation->length < words ? ERROR_TRUNCATED_MESSAGE : ERROR_NONE;
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
static enum error copy_finish(struct transport *transport) {
	enum error error = object_derive(transport->source, &transport->cap);

	if (error) return error;
	if (transport->cap.type == CAP_NULL) return ERROR_ILLEGAL_OPERATION;
	cap_copy_into(transport->destination, transport->cap, transport->source);
	return ERROR_NONE;
}

enum error cnode_copy(struct invocation *invocation) {
	struct transport transport;
	enum error error = transport_find(invocation, 5, &transport);

	if (error) return error;
	cap_mask_rights(&transport.cap, invocation_word(invocation, 4));
	return copy_finish(&transport);
}

enum error cnode_mint(struct invocation *invocation) {
	struct transport transport;
	enum error error = transport_find(invocation, 6, &transport);

	if (error) return error;
	cap_mask_rights(&transport.cap, invocation_word(invocation, 4));
	if (!cap_apply_badge_or_guard(&transport.cap, invocation_word(invocation, 5)))
		return ERROR_ILLEGAL_OPERATION;
	return copy_finish(&transport);
}

enum error cnode_move(struct invocation *invocation) {
	struct transport transport;
	enum error error = transport_find(invocation, 4, &transport);

	if (!error) derive_move(transport.destination, transport.source);
	return error;
}

enum error cnode_mutate(struct invocation *invocation) {
	struct transport transport;
	enum error error = transport_find(invocation, 5, &transport);

	if (error) return error;
	if (!cap_apply_guard(&transport.cap, invocation_word(invocation, 4)))
		return ERROR_ILLEGAL_OPERATION;
	derive_move(transport.destination, transport.source);
	transport.destination->cap = transport.cap;
	return ERROR_NONE;
}

// The three slots of Rotate: destination <- pivot, pivot <- source.
struct rotation {
	struct slot *destination;
	struct slot *pivot;
	struct slot *source;
};

static enum error rotation_find(struct invocation *invocation, struct rotation *rotation) {
	enum error error = cnode_target(invocation, &rotation->destination);

	if (error) return error;
	if (invocation->length < 8 || invocation->cap_count < 2) return ERROR_TRUNCATED_MESSAGE;
	error = invocation_slot(
		invocation, LOOKUP_SOURCE, &invocation->caps[1]->cap, 6, &rotation->source);
	if (!error)
		error = invocation_slot(
			invocation, LOOKUP_SOURCE, &invocation->caps[0]->cap, 3, &rotation->pivot);
	if (error) return error;
	if (rotation->pivot == rotation->source || rotation->pivot == rotation->destination)
		return ERROR_ILLEGAL_OPERATION;
	if (rotation->source != rotation->destination && !slot_is_empty(rotation->destination))
		return ERROR_DELETE_FIRST;
	error = check_filled(invocation, LOOKUP_SOURCE, rotation->source, 6);
	return error ? error : check_filled(invocation, LOOKUP_TARGET, rotation->pivot, 3);
}

enum error cnode_rotate(struct invocation *invocation) {
	struct rotation rotation;
	struct cap pivot, source;
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
