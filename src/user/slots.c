// SPDX-License-Identifier: BSD-2-Clause
// Free slots: one bit each, first fit from where the last search ended. Bits count from slot_base,
// which itself is never handed out: capability pointer 0 means none.
#include <user/slots.h>

#include <stdbool.h>

#include <abi/bootinfo.h>

enum {
	SLOT_COUNT = 1 << ROOT_CNODE_MAX_BITS, // further slots of a larger CNode stay unused
};

// Written by the functions of this file only; the initial task is one thread.
static seL4_Uint64 slot_free[SLOT_COUNT / 64];
static seL4_Word slot_base; // the slot of bit 0
static seL4_Word slot_end; // the bit behind the last
static seL4_Word slot_hint;
static seL4_Uint8 slot_owner[SLOT_COUNT];

static bool is_free(seL4_Word bit) { return slot_free[bit / 64] >> (bit % 64) & 1; }

static void set_free(seL4_Word bit) { slot_free[bit / 64] |= 1ul << (bit % 64); }

static void set_used(seL4_Word bit) { slot_free[bit / 64] &= ~(1ul << (bit % 64)); }

void slots_init(seL4_Word start, seL4_Word end) {
	slot_base = start - 1;
	slot_hint = 1;
	for (seL4_Word i = 0; i < SLOT_COUNT / 64; i++)
		slot_free[i] = 0;
	slot_end = end - slot_base < SLOT_COUNT ? end - slot_base : SLOT_COUNT;
	for (seL4_Word bit = 1; bit < slot_end; bit++)
		set_free(bit);
}

// The first of count free bits, or 0.
static seL4_Word search(seL4_Word from, seL4_Word to, seL4_Word count) {
	seL4_Word run = 0;

	for (seL4_Word bit = from; bit < to; bit++) {
		run = is_free(bit) ? run + 1 : 0;
		if (run == count) return bit + 1 - count;
	}
	return 0;
}

seL4_CPtr slots_allocate(seL4_Word count) {
	seL4_Word first = search(slot_hint, SLOT_COUNT, count);

	if (!first) first = search(0, SLOT_COUNT, count);
	if (!first) return seL4_CapNull;
	for (seL4_Word i = 0; i < count; i++)
		set_used(first + i);
	slot_hint = first + count;
	return slot_base + first;
}

void slots_release(seL4_CPtr first, seL4_Word count) {
	seL4_Word bit = first - slot_base;

	for (seL4_Word i = 0; i < count; i++) {
		set_free(bit + i);
		slot_owner[bit + i] = 0;
	}
	if (bit < slot_hint) slot_hint = bit;
}

void slots_delete(seL4_CPtr first, seL4_Word count) {
	for (seL4_Word i = 0; i < count; i++)
		seL4_CNode_Delete(seL4_CapInitThreadCNode, first + i, seL4_WordBits);
	slots_release(first, count);
}

void slots_delete_all(void) {
	for (seL4_Word bit = 1; bit < slot_end; bit++) {
		if (!is_free(bit)) slots_delete(slot_base + bit, 1);
	}
}

void slots_set_owner(seL4_CPtr slot, unsigned owner) {
	slot_owner[slot - slot_base] = (seL4_Uint8)owner;
}

void slots_release_owner(unsigned owner) {
	for (seL4_Word bit = 0; bit < SLOT_COUNT; bit++) {
		if (slot_owner[bit] == owner) slots_release(slot_base + bit, 1);
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
