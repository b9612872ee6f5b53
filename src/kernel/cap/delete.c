// SPDX-License-Identifier: BSD-2-Clause
// Deletion and revocation in O(1) steps, without recursion, with all progress in slots.
//
// The last capability to a cnode or thread becomes a zombie: the object's slots are emptied from
// the last to the first. When one of them (e) holds the last capability to a further such object,
// that object's zombie X is put into a queue after the present one, A. The queue runs through a
// slot of each object, its link; the former content of a link is moved to e and handled there:
//
//   before  top [zombie A, chain]   A[link] [zombie Z]   A[e] [zombie X]   X[link] [anything]
//   after   top [zombie A, chain]   A[link] [zombie X, chain]   X[link] [zombie Z]   A[e]
//   [anything]
//
// So whatever the structure of the capability spaces, all of it hangs from top in the end, and
// memory being deleted always has its zombie in the derivation order: its untyped is not childless
// before the end. A stays in top until it is done, so a revocation that is stopped at every step
// ends too.
#include <cap/delete.h>

#include <base/panic.h>
#include <cpu/apic.h>

enum {
	// One of these slots of a zombie's object, 0 or 1, holds the next zombie of the queue. They
	// are handled last, and once more before the object is finished, so what they hold may
	// change meanwhile.
	ZOMBIE_LATE_SLOTS = 2,
	ZOMBIE_EMPTY_SLOTS = 64, // slots handled between two preemption points
};

static struct slot *zombie_slots(const struct slot *slot) { return cap_object(&slot->cap); }

// The slot chained to the zombie in slot, or null. It may be that very slot if a deletion of a slot
// inside it preempted an older one: then we hold its content already.
static struct slot *zombie_link(const struct slot *slot) {
	struct slot *link;

	if (!slot->cap.zombie.chain) return NULL;
	link = &zombie_slots(slot)[slot->cap.zombie.chain - 1];
	return link == slot ? NULL : link;
}

static void zombie_set_link(struct slot *slot, const struct slot *link) {
	slot->cap.zombie.chain = link == zombie_slots(slot) ? 1 : 2;
}

void slot_make_zombie(struct slot *slot, struct slot *slots, unsigned radix) {
	slot->cap = cap_make(CAP_ZOMBIE, slots);
	slot->cap.zombie.remaining = 1ul << radix & 0xfffffffffffful;
	slot->cap.zombie.radix = radix & 0x3f;
	slot->next |= SLOT_UNFINISHED;
}

void cnode_destroy(struct slot *slot, bool last) {
	if (last) slot_make_zombie(slot, cap_object(&slot->cap), slot->cap.size_bits);
}

// What only few slots need comes first.
[[gnu::noinline]] static void slot_leaves(struct slot *slot) {
	if ((slot->next & SLOT_OF_CACHE) == SLOT_CACHED) derive_close_caches(slot);
	if (slot->next & SLOT_OF_THREAD) thread_slot_leaves(slot);
	if (slot->cap.type != CAP_ZOMBIE) slot->next &= ~(uint64_t)SLOT_UNFINISHED;
}

bool slot_delete_step(struct slot *slot) {
	cap_destroy *destroy;

	if (unlikely(slot->next & (SLOT_OF_THREAD | SLOT_CACHED | SLOT_UNFINISHED)))
		slot_leaves(slot);
	destroy = object_ops[slot->cap.type].destroy;
	if (destroy) destroy(slot, derive_is_last(slot));
	if (unlikely(slot->next & SLOT_UNFINISHED)) return true;
	derive_remove(slot);
	return false;
}

// A slot of the zombie's object that can be its link and is not top.
static struct slot *zombie_free_link(const struct slot *zombie, const struct slot *top) {
	struct slot *slots = zombie_slots(zombie);

	return top == &slots[0] ? &slots[1] : &slots[0];
}

// top holds a zombie, and one of its object's slots, found, holds another: the drawing above.
static void zombie_enqueue(struct slot *top, struct slot *found) {
	struct slot *link = zombie_link(top), *deeper = zombie_link(found);

	if (deeper == top) {
		found->cap.zombie.chain = 0;
		deeper = NULL;
	}
	if (!link) {
		link = zombie_free_link(top, top);
		zombie_set_link(top, link);
		if (link != found) derive_swap(found, link);
		return;
	}
	if (!deeper) deeper = zombie_free_link(found, top);
	derive_swap(found, link);
	derive_swap(found, deeper);
	zombie_set_link(link, deeper);
}

// top holds a finished zombie whose object contains top itself, so it must be the last of the
// queue: exchanges it with the next one. Its link slot gets the content of the other's.
static void zombie_sink(struct slot *top, struct slot *link) {
	struct slot *deeper;

	derive_swap(top, link);
	deeper = zombie_link(top);
	if (!deeper) deeper = zombie_free_link(top, top);
	derive_swap(link, deeper);
	zombie_set_link(top, deeper);
	deeper->cap.zombie.chain = 0;
}

// All slots of the object were handled. Unless the late ones were filled again they are empty
// except for the link, and top if that is one of them.
static void zombie_finish(struct slot *top) {
	struct slot *slots = zombie_slots(top), *link = zombie_link(top);
	uint64_t offset = (uint64_t)top - (uint64_t)slots; // small if top is one of them

	for (unsigned i = 0; i < ZOMBIE_LATE_SLOTS; i++) {
		if (&slots[i] != top && &slots[i] != link && !slot_is_empty(&slots[i])) {
			top->cap.zombie.remaining = ZOMBIE_LATE_SLOTS;
			return;
		}
	}
	if (!link || slot_is_empty(link)) return derive_remove(top);
	assert(link->cap.type == CAP_ZOMBIE);
	if (offset >> SLOT_BITS < 1ul << top->cap.zombie.radix) return zombie_sink(top, link);
	derive_remove(top);
	derive_move(top, link);
}

// Skips empty slots, as many as one step may.
static uint64_t zombie_skip_empty(struct slot *top) {
	const struct slot *slots = zombie_slots(top);
	uint64_t remaining = top->cap.zombie.remaining;
	const struct slot *end = &slots[remaining];
	const struct slot *least = remaining > ZOMBIE_EMPTY_SLOTS ? end - ZOMBIE_EMPTY_SLOTS
								  : slots;

	while (end > least && slot_is_empty(end - 1))
		end--;
	remaining = (uint64_t)(end - slots);
	top->cap.zombie.remaining = remaining & 0xfffffffffffful;
	return remaining;
}

// One step of emptying the object whose zombie is in top. Returns where the first zombie is now.
static struct slot *zombie_step(struct slot *top) {
	uint64_t remaining = zombie_skip_empty(top);
	struct slot *late = zombie_slots(top), *slot;

	if (remaining == 0) {
		zombie_finish(top);
		return top;
	}
	slot = &zombie_slots(top)[remaining - 1];
	// The zombie finds top among its own slots, and moves to a late slot: if another deletion
	// preempts this one, it must find top, which is then a slot like any other.
	if (slot == top && slot >= late + ZOMBIE_LATE_SLOTS) {
		if (late == zombie_link(top)) late++;
		derive_swap(top, late);
		return late;
	}
	if (slot == top || slot == zombie_link(top) || slot_is_empty(slot))
		top->cap.zombie.remaining--;
	else if (slot_delete_step(slot) && slot->cap.type == CAP_ZOMBIE)
		zombie_enqueue(top, slot);
	return top;
}

// Empties the objects whose zombies hang from slot.
[[gnu::noinline]] static enum error zombie_delete(struct slot *slot) {
	struct slot *top = slot;

	for (;;) {
		// top only moves away from slot within memory that no capability can name any more,
		// and slot is then emptied with the rest of that memory.
		top = zombie_step(top);
		if (slot_is_empty(top)) return ERROR_NONE;
		if (preempt_wanted()) return ERROR_PREEMPTED;
	}
}

// A slot that is empty already has no neighbours to change.
enum error slot_delete(struct slot *slot) {
	while (unlikely(slot_delete_step(slot))) {
		if (slot->cap.type == CAP_ZOMBIE) return zombie_delete(slot);
		if (preempt_wanted()) return ERROR_PREEMPTED;
	}
	return ERROR_NONE;
}

enum error slot_revoke(struct slot *slot) {
	// Deleting a child can destroy the cnode that holds slot: slot is then empty and has none.
	while (derive_has_child(slot)) {
		enum error error = slot_delete(slot_next(slot));

		if (error) return error;
		if (preempt_wanted() && derive_has_child(slot)) return ERROR_PREEMPTED;
	}
	return ERROR_NONE;
}
