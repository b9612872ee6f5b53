// SPDX-License-Identifier: BSD-2-Clause
// Guest page-table walk: one walker, a row per paging mode (SDM 3A, chapter 4).
#include <vmm/vcpu/walk.h>

#include <base/memory.h>
#include <x86/paging.h>

#define ENTRY_ADDRESS 0x000ffffffffff000ull
#define ENTRY_PAE_RESERVED 0x7ff0000000000000ull
#define ENTRY_PSE_RESERVED (1ull << 21)

struct paging_mode {
	uint8_t levels;
	uint8_t entry_bytes;
	uint8_t index_bits;
	uint8_t large_levels; // leaf entries may be at levels 1 .. this, besides 0
	uint64_t root_mask;
	uint64_t reserved; // in every entry
};

static const struct paging_mode mode_32 = {2, 4, 10, 1, 0xfffff000, 0};
static const struct paging_mode mode_32_small = {2, 4, 10, 0, 0xfffff000, 0};
// Two levels below the four pointers that the CPU keeps.
static const struct paging_mode mode_pae = {2, 8, 9, 1, 0, ENTRY_PAE_RESERVED};
static const struct paging_mode mode_long = {4, 8, 9, 2, ENTRY_ADDRESS, 0};

static const struct paging_mode *walk_mode(const struct paging *paging) {
	if (paging->efer & EFER_LMA) return &mode_long;
	if (paging->cr4 & CR4_PAE) return &mode_pae;
	return paging->cr4 & CR4_PSE ? &mode_32 : &mode_32_small;
}

static uint64_t entry_load(const void *entry, uint8_t bytes) {
	uint64_t value = 0;

	memcpy(&value, entry, bytes);
	return value;
}

// Bits 20..13 of a 4 MiB entry hold address bits 39..32 (PSE-36).
static uint64_t leaf_address(const struct paging_mode *mode, uint64_t entry, unsigned level) {
	unsigned shift;

	if (mode->entry_bytes == 4 && level == 1)
		return (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32;
	shift = 12u + level * mode->index_bits;
	return entry & ENTRY_ADDRESS & ~((1ull << shift) - 1);
}

static bool walk_fault(const struct paging *paging, struct walk *walk, uint32_t cause) {
	bool fetch_bit = (paging->cr4 & CR4_SMEP) ||
		((paging->cr4 & CR4_PAE) && (paging->efer & EFER_NXE));

	walk->error_code = cause;
	walk->error_code |= walk->access & WALK_WRITE ? PAGE_FAULT_WRITE : 0;
	walk->error_code |= walk->access & WALK_USER ? PAGE_FAULT_USER : 0;
	walk->error_code |= (walk->access & WALK_FETCH) && fetch_bit ? PAGE_FAULT_FETCH : 0;
	return false;
}

// SDM 3A 4.6.1. The rights are those of all entries together.
static bool walk_permitted(const struct paging *paging, unsigned access, uint64_t rights) {
	bool user = access & WALK_USER;
	bool user_page = rights & ENTRY_USER;
	bool enforced;

	if (user && !user_page) return false;
	if (access & WALK_FETCH) {
		bool confined = !user && user_page && (paging->cr4 & CR4_SMEP);

		return !confined && !(rights & ENTRY_NO_EXECUTE);
	}
	if (!user && user_page && (paging->cr4 & CR4_SMAP) && !(access & WALK_FLAG_AC))
		return false;
	enforced = user || (paging->cr0 & CR0_WP);
	return !(access & WALK_WRITE) || (rights & ENTRY_WRITABLE) || !enforced;
}

struct level {
	const struct paging_mode *mode;
	unsigned number; // 0: its entries map pages of 4 KiB
	unsigned shift;
	bool leaf;
};

// SDM 3A 4.3 to 4.5.
static uint64_t reserved_bits(
	const struct guest_memory *memory, const struct paging *paging, const struct level *level) {
	const struct paging_mode *mode = level->mode;
	bool large = level->leaf && level->number > 0;
	uint64_t bits;

	if (mode->entry_bytes == 4) return large ? ENTRY_PSE_RESERVED : 0;
	bits = mode->reserved | (ENTRY_ADDRESS & (UINT64_MAX << memory->address_bits));
	bits |= paging->efer & EFER_NXE ? 0 : ENTRY_NO_EXECUTE;
	bits |= level->number > mode->large_levels ? ENTRY_LARGE : 0;
	// Bit 12 of a large entry is part of the memory type.
	return large ? bits | (((1ull << level->shift) - 1) & ENTRY_ADDRESS & ~0x1000ull) : bits;
}

static void entry_mark(void *entry, uint64_t value, uint64_t marks) {
	uint8_t low = (uint8_t)(value | marks);

	if (low != (uint8_t)value) memcpy(entry, &low, 1);
}

// The table to begin with; false if the pointer to it is not present.
static bool walk_root(const struct guest_memory *memory, const struct paging *paging,
	uint64_t linear, uint64_t *table) {
	const struct paging_mode *mode = walk_mode(paging);
	unsigned index = linear >> 30 & (PAGING_DIRECTORY - 1);
	uint64_t pointer = paging->directory[index];

	if (mode == &mode_pae && paging->directory_in_memory) {
		struct guest_physical slot = guest_physical(
			(paging->cr3 & CR3_PAE_BASE) + index * sizeof(pointer));

		if (!memory_read(memory, slot, &pointer, sizeof(pointer))) return false;
	}
	*table = mode == &mode_pae ? pointer & ENTRY_ADDRESS : paging->cr3 & mode->root_mask;
	return mode != &mode_pae || (pointer & ENTRY_PRESENT);
}

bool walk_translate(
	const struct guest_memory *memory, const struct paging *paging, struct walk *walk) {
	const struct paging_mode *mode;
	uint64_t table;
	uint64_t rights;

	if (!(paging->cr0 & CR0_PG)) {
		walk->physical = guest_physical(walk->linear & UINT32_MAX);
		return true;
	}
	mode = walk_mode(paging);
	rights = ENTRY_WRITABLE | ENTRY_USER;
	if (mode != &mode_long) walk->linear &= UINT32_MAX;
	if (!walk_root(memory, paging, walk->linear, &table)) return walk_fault(paging, walk, 0);
	for (unsigned number = mode->levels; number-- > 0;) {
		struct level level = {mode, number, 12u + number * mode->index_bits, number == 0};
		uint64_t index = walk->linear >> level.shift & ((1u << mode->index_bits) - 1);
		void *slot = memory_at(memory, guest_physical(table + index * mode->entry_bytes),
			mode->entry_bytes);
		uint64_t entry = slot ? entry_load(slot, mode->entry_bytes) : 0;
		uint64_t dirty;

		if (!(entry & ENTRY_PRESENT)) return walk_fault(paging, walk, 0);
		level.leaf |= number <= mode->large_levels && (entry & ENTRY_LARGE);
		if (entry & reserved_bits(memory, paging, &level))
			return walk_fault(paging, walk, PAGE_FAULT_PRESENT | PAGE_FAULT_RESERVED);
		rights = (rights & (entry | ENTRY_NO_EXECUTE)) | (entry & ENTRY_NO_EXECUTE);
		if (level.leaf && !walk_permitted(paging, walk->access, rights))
			return walk_fault(paging, walk, PAGE_FAULT_PRESENT);
		dirty = level.leaf && (walk->access & WALK_WRITE) ? ENTRY_DIRTY : 0;
		entry_mark(slot, entry, ENTRY_ACCESSED | dirty);
		if (walk->trail)
			walk->trail->steps[walk->trail->count++] = (struct walk_step){
				slot, entry | ENTRY_ACCESSED | dirty};
		if (level.leaf) {
			uint64_t inside = walk->linear & ((1ull << level.shift) - 1);

			walk->physical = guest_physical(leaf_address(mode, entry, number) + inside);
			return true;
		}
		table = entry & ENTRY_ADDRESS;
	}
	return walk_fault(paging, walk, 0);
}
