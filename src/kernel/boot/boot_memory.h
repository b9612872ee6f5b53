// SPDX-License-Identifier: BSD-2-Clause
// Physical memory at boot: ranges that are free, and their cut into untyped blocks.
#pragma once

#include <abi/bootinfo.h>
#include <base/bits.h>

enum { REGION_LIST_SIZE = 1100 }; // a thousand of the loader's map, and what splits them

// Disjoint ranges in ascending order.
struct region_list {
	unsigned count;
	unsigned lost; // for which there was no room
	struct range regions[REGION_LIST_SIZE];
};

// Types of memory in the loader's map.
enum memory_type { MEMORY_RAM = 1, MEMORY_ACPI_TABLES = 3, MEMORY_ACPI_SAVED = 4 };

struct boot_memory {
	uint64_t limit; // what is above cannot be addressed

	// By the loader's map. What two of its entries disagree about is no RAM.
	struct region_list ram;
	struct region_list other; // of any other type
	struct region_list visible; // RAM and what ACPI keeps there, grown to 2 MiB

	// The physical address space without what the kernel keeps.
	struct region_list modules; // after the first
	struct region_list device; // everything that is not RAM
	struct region_list free; // RAM
	struct range task; // the first module: its memory is free, and no take gets it
};

// Future untyped memory: powers of two, naturally aligned.
struct block_list {
	unsigned count, fixed; // the modules' come first, and stay
	unsigned dropped; // the smallest are dropped when there are too many
	uint64_t dropped_memory; // bytes of RAM among them
	struct bootinfo_untyped blocks[BOOTINFO_MAX_UNTYPED + 1]; // and one while it is added
};

// A range that is added becomes one with those it touches.
void region_remove(struct region_list *list, uint64_t start, uint64_t end);
void region_add(struct region_list *list, uint64_t start, uint64_t end);

uint64_t region_bytes(const struct region_list *list);

// Whether one of the ranges has all of this.
[[nodiscard]] bool region_has(const struct region_list *list, uint64_t start, uint64_t size);

// First an entry of the loader's map each, then all boot modules, once (BOOT-11, BOOT-12).
void memory_add(struct boot_memory *memory, uint64_t base, uint64_t length, uint32_t type);
void memory_sort(
	struct boot_memory *memory, const struct bootinfo_module *modules, unsigned module_count);

// No program gets this.
void memory_keep(struct boot_memory *memory, uint64_t start, uint64_t end);

// Keeps the first size bytes of free RAM in one piece below limit, page aligned, and outside of the
// first module. 0: there are none.
uint64_t memory_take(struct boot_memory *memory, uint64_t size, uint64_t limit);

// Cuts what is left into blocks: the modules whole, and of the rest the largest blocks.
void block_list_make(struct block_list *list, const struct boot_memory *memory);
