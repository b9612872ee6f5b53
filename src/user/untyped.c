// SPDX-License-Identifier: BSD-2-Clause
// Memory of the initial task. Each untyped is allocated from its start; an object comes from the
// smallest one that has room, so that the large ones stay whole for large objects. Free memory
// below an object at a fixed address becomes untypeds of its own.
#include <user/untyped.h>

#include <base/bits.h>

#include <user/slots.h>

enum {
	RESERVE_PARTS = 4, // blocks that make up a reservation, at most
};

struct block {
	seL4_Word paddr;
	seL4_Word used; // bytes from the start, counted as in the kernel
	seL4_Uint32 cap;
	seL4_Uint8 size_bits;
	seL4_Uint8 owner; // 0: no particular owner
	bool device;
	bool kept; // for objects at fixed addresses
};

// Written by the functions of this file only; the initial task is one thread.
// Those of BootInfo, parts of others, and owners'.
static struct block blocks[UNTYPED_BLOCK_LIMIT];
static unsigned block_count;
static unsigned given_count; // those of BootInfo, the first
static unsigned selected_owner;

void untyped_init(const seL4_BootInfo *bootinfo) {
	seL4_Word count = bootinfo->untyped.end - bootinfo->untyped.start;

	block_count = 0;
	for (seL4_Word i = 0; i < count && i < BOOTINFO_MAX_UNTYPED; i++) {
		const seL4_UntypedDesc *entry = &bootinfo->untypedList[i];

		blocks[block_count++] = (struct block){
			.cap = (seL4_Uint32)(bootinfo->untyped.start + i),
			.paddr = entry->paddr,
			.size_bits = entry->sizeBits,
			.device = entry->isDevice,
		};
	}
	given_count = block_count;
}

seL4_Word object_bits(seL4_Word type, seL4_Word size_bits) {
#define OBJECT_SIZE(number, name, kind, size, device) [number] = size,
	static const seL4_Uint8 fixed[] = {ABI_OBJECTS(OBJECT_SIZE)};
#undef OBJECT_SIZE

	if (type == OBJECT_UNTYPED || type == OBJECT_SCHED_CONTEXT) return size_bits;
	if (type == OBJECT_CNODE) return size_bits + SLOT_BITS;
	return type < OBJECT_TYPE_COUNT ? fixed[type] : 0;
}

static bool block_fits(const struct block *block, seL4_Word bits) {
	seL4_Word start = align_up(block->used, 1ul << bits);

	return !block->device && !block->kept && block->size_bits >= bits &&
		start <= (1ul << block->size_bits) - (1ul << bits);
}

static struct block *block_choose(seL4_Word bits) {
	struct block *best = NULL;

	for (unsigned i = 0; i < block_count; i++) {
		if (blocks[i].owner == selected_owner && block_fits(&blocks[i], bits) &&
			(!best || blocks[i].size_bits < best->size_bits))
			best = &blocks[i];
	}
	return best;
}

static seL4_Error retype(
	const struct block *block, seL4_Word type, seL4_Word size_bits, seL4_CPtr slot) {
	return seL4_Untyped_Retype(
		block->cap, type, size_bits, seL4_CapInitThreadCNode, 0, 0, slot, 1);
}

seL4_Error untyped_make(seL4_Word type, seL4_Word size_bits, seL4_CPtr slot) {
	seL4_Word bits = object_bits(type, size_bits);
	struct block *block = block_choose(bits);
	seL4_Error error;

	if (!block) return seL4_NotEnoughMemory;
	error = retype(block, type, size_bits, slot);
	if (error) return error;
	block->used = align_up(block->used, 1ul << bits) + (1ul << bits);
	if (selected_owner) slots_set_owner(slot, selected_owner);
	return seL4_NoError;
}

seL4_CPtr object_make(seL4_Word type, seL4_Word size_bits) {
	seL4_CPtr slot = slots_allocate(1);

	if (!slot) return seL4_CapNull;
	if (untyped_make(type, size_bits, slot)) {
		slots_release(slot, 1);
		return seL4_CapNull;
	}
	return slot;
}

static seL4_Word block_end(const struct block *block) {
	return block->paddr + (1ul << block->size_bits);
}

// The smallest block in which these bytes are free.
static struct block *block_around(seL4_Word paddr, seL4_Word size) {
	struct block *best = NULL;

	for (unsigned i = 0; i < block_count; i++) {
		struct block *block = &blocks[i];

		if (!block->owner && paddr >= block->paddr + block->used &&
			paddr < block_end(block) && size <= block_end(block) - paddr &&
			(!best || block->size_bits < best->size_bits))
			best = block;
	}
	return best;
}

// Free memory of a block below an address becomes blocks of its own.
static seL4_Error block_cut(struct block *block, seL4_Word end, bool kept) {
	while (block->paddr + block->used < end) {
		seL4_Word start = block->paddr + block->used;
		seL4_Word bits = bits_highest(end - start);
		seL4_CPtr slot = slots_allocate(1);
		seL4_Error error;

		if (start != 0 && bits_lowest(start) < bits) bits = bits_lowest(start);
		if (!slot || block_count == UNTYPED_BLOCK_LIMIT) return seL4_NotEnoughMemory;
		error = retype(block, OBJECT_UNTYPED, bits, slot);
		if (error) return error;
		block->used += 1ul << bits;
		blocks[block_count++] = (struct block){
			.cap = (seL4_Uint32)slot,
			.paddr = start,
			.size_bits = (seL4_Uint8)bits,
			.device = block->device,
			.kept = kept,
		};
	}
	return seL4_NoError;
}

// Reserves the part of a range, from an address on, that lies in one block. Returns its size, or 0
// for an error.
static seL4_Word keep_first(seL4_Word paddr, seL4_Word end) {
	struct block *block = block_around(paddr, 1ul << PAGE_BITS);

	if (!block) return 1ul << PAGE_BITS;
	end = block_end(block) < end ? block_end(block) : end;
	if (!block->device && !block->kept &&
		(block_cut(block, paddr, false) || block_cut(block, end, true)))
		return 0;
	return end - paddr;
}

seL4_Error untyped_keep(seL4_Word paddr, seL4_Word size) {
	seL4_Word end = paddr + size;

	while (paddr < end) {
		seL4_Word step = keep_first(paddr, end);

		if (step == 0) return seL4_NotEnoughMemory;
		paddr += step;
	}
	return seL4_NoError;
}

seL4_Error untyped_make_at(seL4_Word type, seL4_Word size_bits, seL4_Word paddr, seL4_CPtr slot) {
	seL4_Word size = 1ul << object_bits(type, size_bits);
	struct block *block = block_around(paddr, size);
	seL4_Error error;

	if (!block || !is_aligned(paddr, size)) return seL4_RangeError;
	error = block_cut(block, paddr, block->kept);
	if (!error) error = retype(block, type, size_bits, slot);
	if (!error) block->used += size;
	return error;
}

bool untyped_covers(seL4_Word paddr, seL4_Word size, seL4_Word page_bits, seL4_Word *missing) {
	seL4_Word end = paddr + size;

	if (end < paddr) {
		*missing = paddr;
		return false;
	}
	while (paddr < end) {
		const struct block *block = block_around(paddr, 1ul << page_bits);

		if (!block) {
			*missing = paddr;
			return false;
		}
		paddr = block_end(block);
	}
	return true;
}

// Fewer, larger parts: rounding up clears low bits of the size.
static seL4_Word reserve_size(seL4_Word bytes) {
	seL4_Word size = align_up(bytes, 1ul << PAGE_BITS);
	unsigned parts;

	for (;;) {
		parts = 0;
		for (seL4_Word left = size; left != 0; left &= left - 1)
			parts++;
		if (parts <= RESERVE_PARTS) return size;
		size = align_up(size, 2ul << bits_lowest(size));
	}
}

seL4_Error untyped_reserve(unsigned owner, seL4_Word bytes) {
	for (seL4_Word left = reserve_size(bytes); left != 0;) {
		seL4_Word bits = bits_highest(left);
		seL4_CPtr slot = object_make(OBJECT_UNTYPED, bits);

		if (!slot || block_count == UNTYPED_BLOCK_LIMIT) return seL4_NotEnoughMemory;
		blocks[block_count++] = (struct block){.cap = (seL4_Uint32)slot,
			.size_bits = (seL4_Uint8)bits,
			.owner = (seL4_Uint8)owner};
		left -= 1ul << bits;
	}
	return seL4_NoError;
}

void untyped_select(unsigned owner) { selected_owner = owner; }

seL4_Error untyped_revoke(unsigned owner) {
	for (unsigned i = 0; i < block_count; i++) {
		seL4_Error error;

		if (blocks[i].owner != owner) continue;
		error = seL4_CNode_Revoke(seL4_CapInitThreadCNode, blocks[i].cap, seL4_WordBits);
		if (error) return error;
		blocks[i].used = 0;
	}
	slots_release_owner(owner);
	return seL4_NoError;
}

void untyped_reset(void) {
	block_count = given_count;
	for (unsigned i = 0; i < given_count; i++) {
		blocks[i].used = 0;
		blocks[i].kept = false;
		blocks[i].owner = 0;
	}
}

bool untyped_is_device(seL4_Word paddr, seL4_Word size) {
	for (unsigned i = 0; i < given_count; i++) {
		const struct block *block = &blocks[i];

		if (block->device && paddr >= block->paddr && paddr < block_end(block) &&
			size <= block_end(block) - paddr)
			return true;
	}
	return false;
}

seL4_Word untyped_blocks_left(void) { return UNTYPED_BLOCK_LIMIT - block_count; }

seL4_Word untyped_left(void) {
	seL4_Word left = 0;

	for (unsigned i = 0; i < block_count; i++) {
		if (!blocks[i].device && !blocks[i].owner)
			left += (1ul << blocks[i].size_bits) - blocks[i].used;
	}
	return left;
}

seL4_Word untyped_room(seL4_Word bits) {
	seL4_Word room = 0;

	for (unsigned i = 0; i < block_count; i++) {
		if (!blocks[i].owner && block_fits(&blocks[i], bits))
			room += ((1ul << blocks[i].size_bits) -
					align_up(blocks[i].used, 1ul << bits)) >>
				bits;
	}
	return room;
}
