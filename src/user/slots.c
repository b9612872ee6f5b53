// SPDX-License-Identifier: BSD-2-Clause
// Free slots: one bit each, first fit from where the last search ended.
#include <user/slots.h>

#include <stdbool.h>

#include <abi/bootinfo.h>

enum {
	SLOT_COUNT = 1 << ROOT_CNODE_RADIX,
};

// Written by the functions of this file only; the initial task is one thread.
static seL4_Uint64 slot_free[SLOT_COUNT / 64];
static seL4_Word slot_hint;
static seL4_Uint8 slot_owner[SLOT_COUNT];

static bool is_free(seL4_Word slot) { return slot_free[slot / 64] >> (slot % 64) & 1; }

static void set_free(seL4_Word slot) { slot_free[slot / 64] |= 1ul << (slot % 64); }

static void set_used(seL4_Word slot) { slot_free[slot / 64] &= ~(1ul << (slot % 64)); }

void slots_init(seL4_Word start, seL4_Word end) {
	for (seL4_Word slot = 0; slot < SLOT_COUNT; slot++)
		set_used(slot);
	for (seL4_Word slot = start; slot < end && slot < SLOT_COUNT; slot++)
		set_free(slot);
	slot_hint = start;
}

static seL4_CPtr search(seL4_Word from, seL4_Word to, seL4_Word count) {
	seL4_Word run = 0;

	for (seL4_Word slot = from; slot < to; slot++) {
		run = is_free(slot) ? run + 1 : 0;
		if (run == count) return slot + 1 - count;
	}
	return seL4_CapNull;
}

seL4_CPtr slots_allocate(seL4_Word count) {
	seL4_CPtr first = search(slot_hint, SLOT_COUNT, count);

	if (!first) first = search(0, SLOT_COUNT, count);
	if (!first) return seL4_CapNull;
	for (seL4_Word i = 0; i < count; i++)
		set_used(first + i);
	slot_hint = first + count;
	return first;
}

void slots_release(seL4_CPtr first, seL4_Word count) {
	for (seL4_Word i = 0; i < count; i++) {
		set_free(first + i);
		slot_owner[first + i] = 0;
	}
	if (first < slot_hint) slot_hint = first;
}

void slots_delete(seL4_CPtr first, seL4_Word count) {
	for (seL4_Word i = 0; i < count; i++)
		seL4_CNode_Delete(seL4_CapInitThreadCNode, first + i, seL4_WordBits);
	slots_release(first, count);
}

void slots_set_owner(seL4_CPtr slot, unsigned owner) { slot_owner[slot] = (seL4_Uint8)owner; }

void slots_release_owner(unsigned owner) {
	for (seL4_Word slot = 0; slot < SLOT_COUNT; slot++) {
		if (slot_owner[slot] == owner) slots_release(slot, 1);
	}
}

seL4_Word slots_left(void) {
	seL4_Word count = 0;

	// Counted by hand: the compiler's builtin is a call into its library.
	for (seL4_Word i = 0; i < SLOT_COUNT / 64; i++) {
		for (seL4_Word left = slot_free[i]; left != 0; left &= left - 1)
			count++;
	}
	return count;
}
