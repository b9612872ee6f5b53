// SPDX-License-Identifier: BSD-2-Clause
// CNode operations: copy, mint, move, mutate, rotate, delete, revoke (CAP-8 to CAP-21).
#include <cap/delete.h>
#include <cap/invocation.h>
#include <cpu/platform.h>

// Removes the rights that are not in mask, as the kind of *cap counts them (OBJ-4 to OBJ-6).
static void cap_mask_rights(struct cap *cap, uint64_t mask) {
	unsigned rights = cap->rights & mask & RIGHTS_ALL;

	if (cap->type == CAP_FRAME)
		cap->rights = rights & RIGHT_READ ? rights & (RIGHT_READ | RIGHT_WRITE) : 0;
	else if (cap_has_badge(cap) || cap->type == CAP_REPLY)
		cap->rights = rights & RIGHTS_ALL;
}

// The data word of Mutate and Rotate: a badge cannot be given to a capability that exists.
static bool cap_apply_guard(struct cap *cap, uint64_t data) {
	if (cap->type == CAP_CNODE) return cap_set_guard(cap, data);
	return !cap_has_badge(cap) && cap->type != CAP_IO_SPACE;
}

// The data word of Mint for the master of devices' spaces: a device, and behind it a domain that a
// program may choose.
static bool cap_apply_device(struct cap *cap, uint64_t data) {
	const struct iommu *iommu = this_cpu()->platform->iommu;
	uint64_t domain = data >> IO_SPACE_DOMAIN_SHIFT & IO_SPACE_DOMAIN;

	if (cap->object || domain == 0 || domain >= iommu->domains) return false;
	*cap = cap_make(CAP_IO_SPACE, iommu->device(data & IO_SPACE_DEVICE));
	cap->word = domain << IO_SPACE_DOMAIN_SHIFT | (data & IO_SPACE_DEVICE);
	return true;
}

// The data word of Mint: a badge, a guard or a device.
static bool cap_apply_badge_or_guard(struct cap *cap, uint64_t data) {
	if (cap->type == CAP_IO_SPACE) return cap_apply_device(cap, data);
	if (!cap_has_badge(cap)) return cap_apply_guard(cap, data);
	if (cap->badge != 0) return false;
	cap->badge = data;
	return true;
}

// The slot named by the invoked cnode's (index, depth) in words 0 and 1.
static enum error cnode_target(struct invocation *invocation, struct slot **slot) {
	return invocation_slot(invocation, LOOKUP_TARGET, &invocation->slot->cap, 0, slot);
}

// A source or pivot, named by words `word` and the next, must be filled.
static enum error check_filled(struct invocation *invocation, enum lookup_side side,
	const struct slot *slot, unsigned word) {
	if (!slot_is_empty(slot)) return ERROR_NONE;
	return error_missing(invocation, side, (unsigned)invocation_word(invocation, word + 1));
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

// Copies or moves a capability between the slots that the first four words name. words: how many
// the operation has; the last is for apply_data, if that is not null.
static enum error carry(struct invocation *invocation, unsigned words, bool copies,
	bool (*apply_data)(struct cap *cap, uint64_t data)) {
	struct slot *destination, *source;
	struct cap cap;
	enum error error = cnode_target(invocation, &destination);

	if (error) return error;
	if (invocation->length < 4 || invocation->cap_count < 1) return ERROR_TRUNCATED_MESSAGE;
	if (!slot_is_empty(destination)) return ERROR_DELETE_FIRST;
	error = invocation_slot(invocation, LOOKUP_SOURCE, &invocation->caps[0]->cap, 2, &source);
	if (!error) error = check_filled(invocation, LOOKUP_SOURCE, source, 2);
	if (error) return error;
	if (invocation->length < words) return ERROR_TRUNCATED_MESSAGE;

	cap = source->cap;
	if (copies) cap_mask_rights(&cap, invocation_word(invocation, 4));
	if (apply_data && !apply_data(&cap, invocation_word(invocation, words - 1)))
		return ERROR_ILLEGAL_OPERATION;
	if (copies) return slot_copy(destination, cap, source);
	source->cap = cap;
	derive_move(destination, source);
	return ERROR_NONE;
}

enum error cnode_copy(struct invocation *invocation) { return carry(invocation, 5, true, NULL); }

enum error cnode_mint(struct invocation *invocation) {
	return carry(invocation, 6, true, cap_apply_badge_or_guard);
}

enum error cnode_move(struct invocation *invocation) { return carry(invocation, 4, false, NULL); }

enum error cnode_mutate(struct invocation *invocation) {
	return carry(invocation, 5, false, cap_apply_guard);
}

// destination <- pivot, pivot <- source.
enum error cnode_rotate(struct invocation *invocation) {
	struct slot *destination, *pivot, *source;
	struct cap pivot_cap, source_cap;
	enum error error = cnode_target(invocation, &destination);

	if (error) return error;
	if (invocation->length < 8 || invocation->cap_count < 2) return ERROR_TRUNCATED_MESSAGE;
	error = invocation_slot(invocation, LOOKUP_SOURCE, &invocation->caps[1]->cap, 6, &source);
	if (!error)
		error = invocation_slot(
			invocation, LOOKUP_SOURCE, &invocation->caps[0]->cap, 3, &pivot);
	if (error) return error;
	if (pivot == source || pivot == destination) return ERROR_ILLEGAL_OPERATION;
	if (source != destination && !slot_is_empty(destination)) return ERROR_DELETE_FIRST;
	error = check_filled(invocation, LOOKUP_SOURCE, source, 6);
	if (!error) error = check_filled(invocation, LOOKUP_TARGET, pivot, 3);
	if (error) return error;

	pivot_cap = pivot->cap;
	source_cap = source->cap;
	if (!cap_apply_guard(&source_cap, invocation_word(invocation, 5)) ||
		!cap_apply_guard(&pivot_cap, invocation_word(invocation, 2)))
		return ERROR_ILLEGAL_OPERATION;
	if (source != destination) derive_move(destination, pivot);
	derive_swap(source, pivot);
	destination->cap = pivot_cap;
	pivot->cap = source_cap;
	return ERROR_NONE;
}
