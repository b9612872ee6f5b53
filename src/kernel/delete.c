// SPDX-License-Identifier: BSD-2-Clause
// Deletion and revocation in O(1) steps, without recursion, with all progress in slots.
//
// The last capability to a cnode or thread becomes a zombie: the object's slots are emptied from the
// last to the first. When one of them holds the last capability to a further such object, that
// object's zombie takes the place in the deleted slot S, the present one waits in one of the new
// object's slots (the link), and what stood there moves to where the new object was found:
//
//   before  S [zombie A]          A[e] [zombie X]    X[link] [anything]
//   after   S [zombie X, chain]   A[e] [anything]    X[link] [zombie A]
//
// So a stack of zombies hangs from S, whatever shape the capability spaces had, and dying memory
// always has its zombie in the derivation order: its untyped is not childless before the end.
#include <kernel/delete.h>

#include <base/panic.h>
#include <kernel/derive.h>
#include <kernel/object.h>
#include <kernel/preempt.h>
#include <kernel/thread.h>

// Which slot of a zombie's object holds the next zombie of the stack. They are the two that are
// looked at last, so a change of link costs no second pass.
enum zombie_chain {
	ZOMBIE_CHAIN_NONE = 0,
	ZOMBIE_CHAIN_SLOT_0 = 1,
	ZOMBIE_CHAIN_SLOT_1 = 2,
	ZOMBIE_LINK_SLOTS = 2,
};

static struct slot *zombie_slots(const struct slot *slot)
{
	return cap_object(&slot->cap);
}

// The slot chained to the zombie in slot, or null. It may be that very slot if an older deletion
// was overtaken by one of a slot inside it: then its content is in our hands already.
static struct slot *zombie_link(const struct slot *slot)
{
	struct slot *link;

	if (slot->cap.zombie.chain == ZOMBIE_CHAIN_NONE)
		return NULL;
	link = &zombie_slots(slot)[slot->cap.zombie.chain - ZOMBIE_CHAIN_SLOT_0];
	return link == slot ? NULL : link;
}

static void zombie_set_link(struct slot *slot, const struct slot *link)
{
	slot->cap.zombie.chain = link == zombie_slots(slot) ? ZOMBIE_CHAIN_SLOT_0
							    : ZOMBIE_CHAIN_SLOT_1;
}

static bool zombie_contains(const struct slot *zombie, const struct slot *slot)
{
	uint64_t offset = (uint64_t)slot - (uint64_t)zombie_slots(zombie);

	return offset >> SLOT_BITS < 1ul << zombie->cap.zombie.radix;
}

// The capability in slot was the last one to an object that starts with 2^radix slots, and the
// object has let go of everything else.
static void zombie_make(struct slot *slot, unsigned radix)
{
	struct cap zombie = cap_make(CAP_ZOMBIE, cap_object(&slot->cap));

	zombie.zombie.remaining = 1ul << radix & 0xfffffffffffful;
	zombie.zombie.radix = radix & 0x3f;
	zombie.zombie.is_thread = slot->cap.type == CAP_THREAD;
	slot->cap = zombie;
}

void cnode_destroy(struct slot *slot, bool last)
{
	if (last)
		zombie_make(slot, slot->cap.size_bits);
}

void thread_cap_destroy(struct slot *slot, bool last)
{
	_Static_assert(offsetof(struct thread, slots) == 0);
	if (!last)
		return;
	thread_destroy(cap_thread(&slot->cap));
	zombie_make(slot, THREAD_SLOT_RADIX);
}

// Empties a filled slot, or leaves a zombie in it and returns true.
static bool slot_begin_delete(struct slot *slot)
{
	const struct object_ops *ops = &object_ops[slot->cap.type];

	if (ops->destroy)
		ops->destroy(slot, derive_is_last(slot));
	if (slot->cap.type == CAP_ZOMBIE)
		return true;
	derive_remove(slot);
	return false;
}

void slot_delete_simple(struct slot *slot)
{
	if (!slot_is_empty(slot) && slot_begin_delete(slot))
		panic("slot_delete_simple of a kind with slots");
}

// top holds a zombie, and one of its object's slots, found, holds another: the drawing above.
static void zombie_push(struct slot *top, struct slot *found)
{
	struct slot *slots = zombie_slots(found);
	struct slot *link = zombie_link(found);

	if (!link || link == top)
		link = top == &slots[0] ? &slots[1] : &slots[0];
	derive_swap(top, found);
	derive_swap(found, link);
	zombie_set_link(top, link);
}

// top holds a finished zombie whose object contains top itself, so it must be the last of the
// stack: exchanges it with the next one. Its link slot gets what stands in the other's.
static void zombie_sink(struct slot *top, struct slot *link)
{
	struct slot *deeper;

	derive_swap(top, link);
	deeper = zombie_link(top);
	if (!deeper)
		deeper = &zombie_slots(top)[0];
	derive_swap(link, deeper);
	zombie_set_link(top, deeper);
	deeper->cap.zombie.chain = ZOMBIE_CHAIN_NONE;
	deeper->cap.zombie.remaining = ZOMBIE_LINK_SLOTS;
}

// All slots of the object are empty but for the link, and top if that is one of them.
static void zombie_finish(struct slot *top)
{
	struct slot *link = zombie_link(top);

	if (!link || slot_is_empty(link)) {
		derive_remove(top);
		return;
	}
	assert(link->cap.type == CAP_ZOMBIE);
	if (zombie_contains(top, top)) {
		zombie_sink(top, link);
		return;
	}
	derive_remove(top);
	derive_move(top, link);
}

// One step of emptying the object whose zombie is in top.
static void zombie_step(struct slot *top)
{
	struct slot *slot;

	if (top->cap.zombie.remaining == 0) {
		zombie_finish(top);
		return;
	}
	slot = &zombie_slots(top)[top->cap.zombie.remaining - 1];
	if (slot == top || slot == zombie_link(top) || slot_is_empty(slot))
		top->cap.zombie.remaining--;
	else if (slot_begin_delete(slot))
		zombie_push(top, slot);
}

enum error slot_delete(struct slot *slot)
{
	if (slot_is_empty(slot) || !slot_begin_delete(slot))
		return ERROR_NONE;
	for (;;) {
		zombie_step(slot);
		if (slot_is_empty(slot))
			return ERROR_NONE;
		if (preempt_wanted())
			return ERROR_PREEMPTED;
	}
}

enum error slot_revoke(struct slot *slot)
{
	// Deleting a child can destroy the cnode that holds slot: slot is then empty and has none.
	while (derive_has_child(slot)) {
		enum error error = slot_delete(slot_next(slot));

		if (error)
			return error;
		if (derive_has_child(slot) && preempt_wanted())
			return ERROR_PREEMPTED;
	}
	return ERROR_NONE;
}
