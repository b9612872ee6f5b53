// SPDX-License-Identifier: BSD-2-Clause
// Derivation order: every filled slot is in one list, children directly after their parent.
//
//   untyped U (original) -> endpoint E (original) -> E badge 5 (first badged) -> copy of it -> ...
//
// Comparing two neighbours shows whether one is the child of the other (CAP-15 to CAP-17), so
// inserting, deleting and moving are O(1) and deleting a parent leaves its children to the
// grandparent (CAP-18).
#pragma once

#include <cap/cap.h>

static inline struct slot *slot_next(const struct slot *slot) {
	return (struct slot *)(slot->next & ~(uint64_t)SLOT_FLAGS);
}

static inline bool slot_is_empty(const struct slot *slot) { return slot->cap.type == CAP_NULL; }

// Fills slot with an original capability directly after parent (null: a root of the order).
void derive_insert_original(struct slot *slot, struct cap cap, struct slot *parent);

// Fills the empty slot with cap, derived from the one in source, after object_derive and with
// rights and data applied: original and first-badged flags follow from the two (a badged copy of an
// unbadged capability begins a level of its own). A copied untyped makes its source full
// (OBJ-14).
void derive_insert_copy(struct slot *slot, struct cap cap, struct slot *source);

// Fills slot, a thread's, with a copy of the capability in next, directly before it: the thread
// caches its capability space through next (cspace.h).
void derive_insert_cache_copy(struct slot *slot, struct slot *next);

// The last such copy before slot, or null.
static inline struct slot *derive_cache_copy(const struct slot *slot) {
	struct slot *copy = slot->previous;

	return copy && (copy->next & SLOT_OF_CACHE) == SLOT_OF_CACHE ? copy : NULL;
}

// The capability in slot is about to go or to be exchanged, or has moved here: the caches through
// it close.
void derive_close_caches(struct slot *slot);

// Empties slot; its children become children of its parent. The capability itself is not touched
// otherwise.
void derive_remove(struct slot *slot);

// Moves place, flags and cap from source to the empty slot destination.
void derive_move(struct slot *destination, struct slot *source);

// Exchanges place, flags and capability of two slots (neighbours included); other may be empty.
void derive_swap(struct slot *one, struct slot *other);

// True if the slot behind this one is its descendant.
[[nodiscard]] bool derive_has_child(const struct slot *slot);

// True if the object lies in the untyped's memory. These two kinds have theirs in the kernel image;
// the address of one without object, 0, is outside of all memory.
static inline bool cap_covers(const struct cap *untyped, const struct cap *cap) {
	uint64_t offset = (uint64_t)cap->object - (uint64_t)untyped->object;

	if (offset >> untyped->size_bits) return false;
	return likely(cap->type != CAP_IRQ_HANDLER && cap->type != CAP_PORT_RANGE);
}

// True if no other slot refers to the same object.
[[nodiscard]] bool derive_is_last(const struct slot *slot);

// True if child is a descendant of parent, for neighbours in the order.
[[nodiscard]] bool derive_is_parent(const struct slot *parent, const struct slot *child);
