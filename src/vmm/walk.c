// SPDX-License-Identifier: BSD-2-Clause
// Guest page-table walk: one walker, a row per paging mode (SDM volume 3, chapter 4).
#include <vmm/walk.h>

#include <vmm/x86.h>

#include <base/memory.h>

enum entry_bits {
	ENTRY_PRESENT = 1 << 0,
	ENTRY_WRITABLE = 1 << 1,
	ENTRY_USER = 1 << 2,
	ENTRY_ACCESSED = 1 << 5,
	ENTRY_DIRTY = 1 << 6,
	ENTRY_LARGE = 1 << 7,
};

#define ENTRY_ADDRESS 0x000ffffffffff000ull

struct paging_mode {
	uint8_t levels;
	uint8_t entry_bytes;
	uint8_t index_bits;
	uint8_t large_levels; // leaf entries may stand at levels 1 .. this, besides 0
	uint8_t unchecked_levels; // top levels without permission bits
	uint64_t root_mask;
};

static const struct paging_mode mode_32 = {2, 4, 10, 1, 0, 0xfffff000};
static const struct paging_mode mode_32_small = {2, 4, 10, 0, 0, 0xfffff000};
static const struct paging_mode mode_pae = {3, 8, 9, 1, 1, 0xffffffe0};
static const struct paging_mode mode_long = {4, 8, 9, 2, 0, ENTRY_ADDRESS};

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
	if (mode->entry_bytes == 4 && level == 1)
		return (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32;
	unsigned shift = 12u + level * mode->index_bits;
	return entry & ENTRY_ADDRESS & ~((1ull << shift) - 1);
}

static bool walk_fault(struct walk *walk, uint32_t present) {
	walk->error_code = present;
	walk->error_code |= walk->access & WALK_WRITE ? PAGE_FAULT_WRITE : 0;
	walk->error_code |= walk->access & WALK_USER ? PAGE_FAULT_USER : 0;
	return false;
}

static bool walk_permitted(const struct paging *paging, const struct walk *walk, uint64_t rights) {
	if ((walk->access & WALK_USER) && !(rights & ENTRY_USER)) return false;
	bool enforced = (walk->access & WALK_USER) || (paging->cr0 & CR0_WP);
	return !(walk->access & WALK_WRITE) || (rights & ENTRY_WRITABLE) || !enforced;
}

static void entry_mark(void *entry, uint64_t value, uint64_t marks) {
	uint8_t low = (uint8_t)(value | marks);
	if (low != (uint8_t)value) memcpy(entry, &low, 1);
}

bool walk_translate(
	const struct guest_memory *memory, const struct paging *paging, struct walk *walk) {
	if (!(paging->cr0 & CR0_PG)) {
		walk->physical = guest_physical(walk->linear & UINT32_MAX);
		return true;
	}
	const struct paging_mode *mode = walk_mode(paging);
	if (mode != &mode_long) walk->linear &= UINT32_MAX;
	uint64_t table = paging->cr3 & mode->root_mask;
	uint64_t rights = ENTRY_WRITABLE | ENTRY_USER;
	for (unsigned level = mode->levels; level-- > 0;) {
		unsigned shift = 12u + level * mode->index_bits;
		uint64_t index = walk->linear >> shift & ((1u << mode->index_bits) - 1);
		void *slot = memory_at(memory, guest_physical(table + index * mode->entry_bytes),
			mode->entry_bytes);
		if (slot == NULL) return walk_fault(walk, 0);
		uint64_t entry = entry_load(slot, mode->entry_bytes);
		if (!(entry & ENTRY_PRESENT)) return walk_fault(walk, 0);
		bool checked = level + mode->unchecked_levels < mode->levels;
		rights &= checked ? entry : rights;
		bool leaf = level == 0 || (level <= mode->large_levels && (entry & ENTRY_LARGE));
		if (leaf && !walk_permitted(paging, walk, rights))
			return walk_fault(walk, PAGE_FAULT_PRESENT);
		uint64_t dirty = leaf && (walk->access & WALK_WRITE) ? ENTRY_DIRTY : 0;
		if (checked) entry_mark(slot, entry, ENTRY_ACCESSED | dirty);
		if (leaf) {
			uint64_t inside = walk->linear & ((1ull << shift) - 1);
			walk->physical = guest_physical(leaf_address(mode, entry, level) + inside);
			return true;
		}
		table = entry & ENTRY_ADDRESS;
	}
	return walk_fault(walk, 0);
}
