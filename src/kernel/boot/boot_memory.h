// SPDX-License-Identifier: BSD-2-Clause
// Physical memory at boot: ranges that are free, and their cut into untyped blocks.
#pragma once

#include <boot/boot.h>

// A range of the map makes one region at most; each range that is taken out may split one.
enum { REGION_LIST_SIZE = BOOT_MAX_MEMORY + BOOT_MAX_REGIONS + BOOT_MAX_MODULES + 2 };

// Disjoint ranges in ascending order. When it is full, further memory is never handed out.
struct region_list {
	unsigned count;
	struct boot_region regions[REGION_LIST_SIZE];
};

// The physical address space without what the kernel keeps.
struct regions {
	struct region_list modules; // after the first
	struct region_list device; // everything that is not RAM
	struct region_list memory; // RAM that is free
};

// Future untyped memory: powers of two, naturally aligned.
struct block_list {
	unsigned count;
	unsigned dropped; // the smallest are dropped when there are too many
	uint64_t dropped_memory; // bytes of RAM among them
	struct bootinfo_untyped blocks[BOOTINFO_MAX_UNTYPED];
};

// Both take start <= end. A range that is added becomes one with those it touches.
void region_remove(struct region_list *list, uint64_t start, uint64_t end);
void region_add(struct region_list *list, uint64_t start, uint64_t end);

// Takes size bytes from the start of the first region that has them below limit; 0 if none has.
uint64_t region_take(struct region_list *list, uint64_t size, uint64_t limit);

uint64_t region_bytes(const struct region_list *list);

// Sorts the physical address space (BOOT-11, BOOT-12). What modules before this one lie in is RAM
// like any other; the first has no region of its own in any case.
void regions_of_facts(
	const struct boot_facts *facts, struct regions *regions, unsigned first_module);

// Cuts the regions into blocks: the modules whole, and of the rest the largest blocks.
void block_list_make(struct block_list *list, const struct regions *regions);
