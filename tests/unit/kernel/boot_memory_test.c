// SPDX-License-Identifier: BSD-2-Clause
// Memory at boot: ranges against a map of bytes, and blocks that cover them exactly.
#include "test.h"

#include <kernel/boot_memory.h>
#include <string.h>

enum {
	MAP = 512,
	PAGE = 4096,
};

static struct region_list list;
static bool map[MAP];

static void compare(void) {
	bool found[MAP] = {};

	for (unsigned i = 0; i < list.count; i++) {
		check(list.regions[i].start < list.regions[i].end);
		check(i == 0 || list.regions[i - 1].end <= list.regions[i].start);
		for (uint64_t j = list.regions[i].start; j < list.regions[i].end; j++)
			found[j] = true;
	}
	check(memcmp(found, map, sizeof(map)) == 0);
}

static void ranges(void) {
	for (unsigned round = 0; round < 20000; round++) {
		unsigned start = random_below(MAP);
		unsigned size = random_below(random_below(20) ? 20 : MAP - start + 1);
		unsigned end = start + size > MAP ? MAP : start + size;
		bool add = random_below(2);

		(add ? region_add : region_remove)(&list, start, end);
		for (unsigned i = start; i < end; i++)
			map[i] = add;
		compare();
	}
}

static void full_list(void) {
	for (unsigned i = 0; i < 2 * REGION_LIST_SIZE; i++)
		region_add(&list, 10 * i, 10 * i + 5);
	check(list.count == REGION_LIST_SIZE);
	region_remove(&list, 2, 3);
	check(list.count == REGION_LIST_SIZE);
	for (unsigned i = 1; i < list.count; i++)
		check(list.regions[i - 1].end <= list.regions[i].start);
}

static void blocks(void) {
	static struct block_list blocks;
	uint64_t next = 0;

	region_add(&list, 0, 0x100000);
	region_add(&list, 0x4000000, 0xfec00000);
	region_add(&list, 0xfec01000, 0xfffffff0);
	region_add(&list, 0x100000000, 1ul << 47);
	block_list_append(&blocks, &list, BLOCK_DEVICE);
	for (unsigned i = 0, region = 0; i < blocks.count; i++) {
		const struct bootinfo_untyped *block = &blocks.blocks[i];

		if (next == list.regions[region].end) region++;
		if (i == 0 || next == list.regions[region - !!region].end)
			next = list.regions[region].start;
		check(block->paddr == next && block->is_device);
		check((block->paddr & ((1ul << block->size_bits) - 1)) == 0);
		check(block->size_bits >= 4 && block->size_bits <= 47);
		next += 1ul << block->size_bits;
	}
	check(next == 1ul << 47 && blocks.dropped == 0);
}

static void too_many_blocks(void) {
	static struct block_list blocks;

	for (uint64_t i = 0; i < 200; i++)
		region_add(&list, i * 0x10000000, i * 0x10000000 + (i % 2 ? 0x10 : 0x3000));
	block_list_append(&blocks, &list, BLOCK_MEMORY);
	check(blocks.count == BOOTINFO_MAX_UNTYPED && blocks.dropped == 300 - blocks.count);
	check(blocks.dropped_bytes == 16ul * blocks.dropped);
	for (unsigned i = 1; i < blocks.count; i++)
		check(blocks.blocks[i - 1].paddr < blocks.blocks[i].paddr);
}

static bool is_in(const struct region_list *regions, uint64_t start, uint64_t end) {
	for (unsigned i = 0; i < regions->count; i++)
		if (regions->regions[i].start <= start && regions->regions[i].end >= end)
			return true;
	return false;
}

static bool touches(const struct region_list *regions, uint64_t start, uint64_t end) {
	for (unsigned i = 0; i < regions->count; i++)
		if (regions->regions[i].start < end && regions->regions[i].end > start) return true;
	return false;
}

static void machine(void) {
	static const struct boot_facts facts = {
		.memory_count = 6,
		.memory = {{20, 0, 0x9fc00, 1}, {20, 0x9fc00, 0x400, 2},
			{20, 0x100000, 0x7fee0123, 1}, {20, 0x20000000, 0x2000, 3},
			{20, 0x100000000, 0x80000000, 1}, {20, 0xffffffffffff0000, 0x20000, 1}},
		.reserved_count = 1,
		.reserved = {{0x100000, 0x234567}},
		.kept_count = 2,
		.kept = {{0xfee00000, 0xfee01000}, {0xfffffff8, 0x100000000}},
		.module_count = 2,
		.modules = {{0x400000, 0x410000, ""}, {0x800123, 0x900123, ""}},
	};
	static struct region_list memory;
	static struct region_list device;

	regions_of_facts(&facts, &memory, &device);
	check(is_in(&memory, 0x235000, 0x400000) && !touches(&memory, 0, 0x235000));
	check(is_in(&memory, 0x901000, 0x20000000) && is_in(&memory, 0x20002000, 0x7ffe0000));
	check(is_in(&memory, 0x100000000, 0x180000000));
	check(!touches(&memory, 0x400000, 0x410000) && !touches(&device, 0x400000, 0x410000));
	check(is_in(&device, 0x800000, 0x901000) && !touches(&memory, 0x800000, 0x901000));
	check(is_in(&device, 0, 0x100000) && !touches(&device, 0x100000, 0x235000));
	check(is_in(&device, 0x20000000, 0x20002000) && is_in(&device, 0x7ffe0000, 0xfee00000));
	check(!touches(&device, 0xfee00000, 0xfee01000));
	check(is_in(&device, 0xfee01000, 0xfffffff0));
	check(!touches(&device, 0xfffffff0, 0x100000000));
	check(is_in(&device, 0x180000000, 1ul << 47));
	for (unsigned i = 0; i < device.count; i++)
		check(!touches(&memory, device.regions[i].start, device.regions[i].end));
}

static void taking(void) {
	region_add(&list, 0x1000, 0x2000);
	region_add(&list, 0x4000, 0x8000);
	check(region_take(&list, 0x3000) == 0x4000 && region_take(&list, 0x3000) == 0);
	check(region_take(&list, 0x1000) == 0x1000 && list.count == 1);
	check(list.regions[0].start == 0x7000);
	_Static_assert(PAGE == 0x1000);
}

static const struct test rows[] = {
	{"MEMORY001", "random ranges are added and removed as on a map of bytes", ranges},
	{"MEMORY002", "a full list loses ranges but stays in order", full_list},
	{"MEMORY003", "blocks are aligned powers of two that cover the ranges", blocks},
	{"MEMORY004", "of too many blocks the smallest go", too_many_blocks},
	{"MEMORY005", "RAM, devices and modules of a machine are told apart", machine},
	{"MEMORY006", "memory is taken from the first range that has it", taking},
};

TESTS(boot_memory_tests);
