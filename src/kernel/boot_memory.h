// SPDX-License-Identifier: BSD-2-Clause
// Physical memory at boot: ranges that are free, and their cut into untyped blocks. Pure.
#pragma once

#include <abi/bootinfo.h>
#include <kernel/boot.h>

enum { REGION_LIST_SIZE = 256 };

// Disjoint ranges in ascending order. When it is full, what is lost is never given to anybody.
struct region_list {
	unsigned count;
	struct boot_region regions[REGION_LIST_SIZE];
};

// Untyped memory to be: powers of two, naturally aligned.
struct block_list {
	unsigned count;
	unsigned dropped; // the smallest go when there are too many
	uint64_t dropped_bytes;
	struct bootinfo_untyped blocks[BOOTINFO_MAX_UNTYPED];
};

enum block_kind { BLOCK_MEMORY = 0, BLOCK_DEVICE = 1 };

// Both take start <= end. Adding a range leaves a border towards its neighbours.
void region_remove(struct region_list *list, uint64_t start, uint64_t end);
void region_add(struct region_list *list, uint64_t start, uint64_t end);

// Takes size bytes from the start of the first region that has them; 0 if none has.
uint64_t region_take(struct region_list *list, uint64_t size);

// Sorts the physical address space: RAM that is free, and everything that is not RAM plus the
// modules after the first (bootinfo.md 2).
void regions_of_facts(
	const struct boot_facts *facts, struct region_list *memory, struct region_list *device);

// Appends the blocks that make up the regions.
void block_list_append(
	struct block_list *list, const struct region_list *regions, enum block_kind kind);
