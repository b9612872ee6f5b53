// SPDX-License-Identifier: BSD-2-Clause
// Derivation order of slots: a doubly linked list in preorder, where comparing two neighbours shows
// whether one is the other's parent.
//
// A consequence of comparing instead of storing parents, which the ABI's reference shares: two
// first-badged capabilities of one badge whose separating slots were deleted count the copies after
// them as their own, whichever of the two they were copied from.
#include <cap/derive.h>

#include <base/panic.h>
#include <cap/delete.h>

static void slot_set_next(struct slot *slot, const struct slot *next) {
	slot->next = (uint64_t)next | (slot->next & SLOT_FLAGS);
}

// Makes the neighbours of slot, whose own links are valid, point to it.
static void neighbours_attach(struct slot *slot) {
	struct slot *next = slot_next(slot);

	if (slot->previous) slot_set_next(slot->previous, slot);
	if (next) next->previous = slot;
}

static void slot_insert(struct slot *slot, struct cap cap, struct slot *before, uint64_t flags) {
	uint64_t next = before ? (uint64_t)slot_next(before) : 0;

	assert(slot_is_empty(slot));
	*slot = (struct slot){cap, before, next | flags};
	neighbours_attach(slot);
}

// True if both refer to one object.
static inline bool is_same_object(const struct cap *one, const struct cap *other) {
	const struct cap size = {.size_bits = 63},
			 but = {.rights = 15, .size_bits = 63, .device = 1};
	uint64_t difference = one->head ^ other->head;

	if (difference & ~but.head) return false;
	if (one->type == CAP_FRAME || one->type == CAP_UNTYPED) return !(difference & size.head);
	if (one->type == CAP_PORT_RANGE)
		return one->port.first == other->port.first && one->port.last == other->port.last;
	return true;
}

// Handlers, port ranges and devices' spaces come from their control capability.
static bool is_control_of(const struct cap *control, const struct cap *cap) {
	return (control->type == CAP_IO_SPACE && cap->type == CAP_IO_SPACE && !control->object) ||
		(control->type == CAP_IRQ_CONTROL && cap->type == CAP_IRQ_HANDLER) ||
		(control->type == CAP_PORT_CONTROL && cap->type == CAP_PORT_RANGE);
}

bool derive_is_parent(const struct slot *parent, const struct slot *child) {
	const struct cap *cap = &parent->cap;

	if (!(parent->next & SLOT_ORIGINAL)) return false;
	if (cap->type == CAP_UNTYPED) return cap_covers(cap, &child->cap);
	if (!is_same_object(cap, &child->cap)) return is_control_of(cap, &child->cap);
	if (!cap_has_badge(cap) || cap->badge == 0) return true;
	return cap->badge == child->cap.badge && !(child->next & SLOT_FIRST_BADGED);
}

bool derive_has_child(const struct slot *slot) {
	const struct slot *next = slot_next(slot);

	return next && derive_is_parent(slot, next);
}

bool derive_is_last(const struct slot *slot) {
	const struct slot *next = slot_next(slot);

	// All slots of one object are neighbours, so the two beside this one decide.
	if (slot->previous && is_same_object(&slot->previous->cap, &slot->cap)) return false;
	return !next || !is_same_object(&next->cap, &slot->cap);
}

void derive_insert_original(struct slot *slot, struct cap cap, struct slot *parent) {
	slot_insert(slot, cap, parent, SLOT_ORIGINAL);
}

void derive_insert_copy(struct slot *slot, struct cap cap, struct slot *source) {
	// What comes from its control capability is of another kind, or of another object.
	bool is_other = cap.type != source->cap.type || cap.object != source->cap.object;
	uint64_t flags = is_other ? SLOT_ORIGINAL : 0;

	if (cap.type == CAP_UNTYPED) {
		flags = SLOT_ORIGINAL;
		source->cap.word = 1ul << (source->cap.size_bits - UNTYPED_MIN_BITS);
		cap.word = 0;
	} else if (cap_has_badge(&cap) && cap.badge != source->cap.badge) {
		flags = SLOT_ORIGINAL | SLOT_FIRST_BADGED;
	}
	slot_insert(slot, cap, source, flags);
}

void derive_insert_cache_copy(struct slot *slot, struct slot *next) {
	assert(slot_is_empty(slot));
	*slot = (struct slot){next->cap, next->previous, (uint64_t)next | SLOT_OF_CACHE};
	neighbours_attach(slot);
	next->next |= SLOT_CACHED;
}

[[gnu::cold]] void derive_close_caches(struct slot *slot) {
	struct slot *copy;

	slot->next &= ~(uint64_t)SLOT_CACHED;
	while ((copy = derive_cache_copy(slot))) {
		thread_slot_leaves(copy);
		derive_remove(copy);
	}
}

void derive_remove(struct slot *slot) {
	struct slot *next = slot_next(slot);

	if (slot->previous) slot_set_next(slot->previous, next);
	if (next) next->previous = slot->previous;
	*slot = (struct slot){};
}

void derive_move(struct slot *destination, struct slot *source) {
	assert(slot_is_empty(destination));
	*destination = *source;
	neighbours_attach(destination);
	*source = (struct slot){};
	if (unlikely(destination->next & SLOT_CACHED)) derive_close_caches(destination);
}

void derive_swap(struct slot *one, struct slot *other) {
	struct slot waiting;

	if (unlikely(one->next & SLOT_CACHED)) derive_close_caches(one);
	if (unlikely(other->next & SLOT_CACHED)) derive_close_caches(other);
	waiting = *one;
	// The copy on the stack holds one's place in the order while other moves into one, so that
	// neighbours in the order need no special case.
	neighbours_attach(&waiting);
	*one = *other;
	if (!slot_is_empty(one)) neighbours_attach(one);
	*other = waiting;
	neighbours_attach(other);
}
