// SPDX-License-Identifier: BSD-2-Clause
// Memory at boot: ranges against a map of bytes, and blocks that cover them exactly.
#include "test.h"

#include <base/bits.h>
#include <boot/boot_memory.h>
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
		check(i == 0 || list.regions[i - 1].end < list.regions[i].start);
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

static void joins(void) {
	region_add(&list, 10, 20);
	region_add(&list, 30, 40);
	region_add(&list, 50, 60);
	region_add(&list, 12, 15);
	check(list.count == 3);
	region_add(&list, 20, 30);
	check(list.count == 2 && list.regions[0].start == 10 && list.regions[0].end == 40);
	region_add(&list, 5, 70);
	check(list.count == 1 && list.regions[0].start == 5 && list.regions[0].end == 70);
}

static struct regions regions;
static struct block_list blocks;

// Blocks lie inside the regions of their kind, in order, aligned and apart.
static void check_blocks(unsigned first, const struct region_list *whole) {
	unsigned region = 0;

	for (unsigned i = first; i < blocks.count; i++) {
		const struct bootinfo_untyped *block = &blocks.blocks[i];
		uint64_t end = block->paddr + (1ul << block->size_bits);

		check((block->paddr & ((1ul << block->size_bits) - 1)) == 0);
		check(block->size_bits >= 4 && block->size_bits <= 47);
		check(i == first || end > blocks.blocks[i - 1].paddr);
		while (region < whole->count && whole->regions[region].end < end)
			region++;
		check(region < whole->count && whole->regions[region].start <= block->paddr);
	}
}

static void blocks_cover(void) {
	uint64_t covered = 0;

	region_add(&regions.device, 0, 0x100000);
	region_add(&regions.device, 0x4000000, 0xfec00000);
	region_add(&regions.device, 0xfec01000, 0xfffffff0);
	region_add(&regions.device, 0x100000000, 1ul << 47);
	block_list_make(&blocks, &regions);
	check_blocks(0, &regions.device);
	for (unsigned i = 0; i < blocks.count; i++)
		covered += 1ul << blocks.blocks[i].size_bits;
	check(covered == region_bytes(&regions.device) && blocks.dropped == 0);
}

static void too_many_blocks(void) {
	regions = (struct regions){};
	region_add(&regions.modules, 0x1000, 0x2000);
	for (uint64_t i = 1; i < 200; i++)
		region_add(&regions.memory, i * 0x10000000, i * 0x10000000 + 0x18000);
	region_add(&regions.device, 0x3000, 0x3010);
	region_add(&regions.device, 0x8000, 0x10000);
	blocks = (struct block_list){};
	block_list_make(&blocks, &regions);
	// 199 of 64 KiB, the module, and 30 of 32 KiB, rather RAM than a device's.
	check(blocks.count == BOOTINFO_MAX_UNTYPED && blocks.dropped == 199 - 30 + 2);
	check(blocks.dropped_memory == (199ul - 30) << 15);
	check(blocks.blocks[0].paddr == 0x1000 && blocks.blocks[0].is_device);
	check(!blocks.blocks[1].is_device);
	check_blocks(1, &regions.memory);
}

static bool is_in(const struct region_list *ranges, uint64_t start, uint64_t end) {
	for (unsigned i = 0; i < ranges->count; i++)
		if (ranges->regions[i].start <= start && ranges->regions[i].end >= end) return true;
	return false;
}

static bool touches(const struct region_list *ranges, uint64_t start, uint64_t end) {
	for (unsigned i = 0; i < ranges->count; i++)
		if (ranges->regions[i].start < end && ranges->regions[i].end > start) return true;
	return false;
}

static void machine(void) {
	static const struct boot_facts facts = {
		.memory_count = 6,
		.memory = {{20, 0, 0x9fc00, 1}, {20, 0x9fc00, 0x400, 2},
			{20, 0x100000, 0x7fee0123, 1}, {20, 0x20000000, 0x2000, 3},
			{20, 0x100000000, 0x80000000, 1}, {20, 0xffffffffffff0000, 0x20000, 1}},
		.kept_count = 3,
		.kept = {{0x100000, 0x235000}, {0xfee00000, 0xfee01000}, {0xfffffff8, 0x100000000}},
		.module_count = 2,
		.modules = {{0x400000, 0x410000, ""}, {0x800123, 0x900123, ""}},
	};
	static struct regions found;
	const struct region_list *memory = &found.memory;
	const struct region_list *device = &found.device;

	regions_of_facts(&facts, &found, 0);
	check(is_in(memory, 0x235000, 0x400000) && !touches(memory, 0, 0x235000));
	check(is_in(memory, 0x901000, 0x20000000) && is_in(memory, 0x20002000, 0x7ffe0000));
	check(is_in(memory, 0x100000000, 0x180000000));
	check(!touches(memory, 0x400000, 0x410000) && !touches(device, 0x400000, 0x410000));
	check(is_in(&found.modules, 0x800000, 0x901000) && !touches(memory, 0x800000, 0x901000));
	check(!touches(device, 0x800000, 0x901000) && found.modules.count == 1);
	check(is_in(device, 0, 0x100000) && !touches(device, 0x100000, 0x235000));
	check(is_in(device, 0x20000000, 0x20002000) && is_in(device, 0x7ffe0000, 0xfee00000));
	check(!touches(device, 0xfee00000, 0xfee01000));
	check(is_in(device, 0xfee01000, 0xfffffff0));
	check(!touches(device, 0xfffffff0, 0x100000000));
	check(is_in(device, 0x180000000, 1ul << 47));
	for (unsigned i = 0; i < device->count; i++)
		check(!touches(memory, device->regions[i].start, device->regions[i].end));
}

static void taking(void) {
	region_add(&list, 0x1000, 0x2000);
	region_add(&list, 0x4000, 0x8000);
	check(region_take(&list, 0x3000, 0x6fff) == 0);
	check(region_take(&list, 0x3000, 0x7000) == 0x4000);
	check(region_take(&list, 0x3000, UINT64_MAX) == 0);
	check(region_take(&list, 0x1000, UINT64_MAX) == 0x1000 && list.count == 1);
	check(list.regions[0].start == 0x7000);
	_Static_assert(PAGE == 0x1000);
}

// A small machine as a map of pages: random ranges of all kinds, then what the rules make of a
// page.

enum page_kind { PAGE_DEVICE, PAGE_RAM, PAGE_MODULE, PAGE_KERNEL };

enum { PAGES = 2048, FIRST_PAGE = 256, ENTRIES = 60 };

static struct boot_facts random_facts;
static enum page_kind pages[PAGES];

static struct boot_region random_range(unsigned longest) {
	uint64_t start = (uint64_t)random_below(PAGES) * PAGE +
		(random_below(2) ? random_below(PAGE) : 0);
	uint64_t size = (uint64_t)random_below(longest) * PAGE +
		(random_below(2) ? random_below(PAGE) : 0);

	return (struct boot_region){start, start + size};
}

static bool page_touches(unsigned page, struct boot_region range) {
	return range.start < range.end && range.start < (page + 1ul) * PAGE &&
		range.end > (uint64_t)page * PAGE;
}

static bool page_is_inside(unsigned page, struct boot_region range) {
	return range.start <= (uint64_t)page * PAGE && range.end >= (page + 1ul) * PAGE;
}

// Each page of RAM that one entry holds whole, unless it is low or an entry of another type has a
// part of it. A union of ranges that each hold a part of a page is no RAM.
static bool page_is_ram(unsigned page) {
	bool is_ram = false;

	for (unsigned i = 0; i < random_facts.memory_count; i++) {
		const struct boot_memory *memory = &random_facts.memory[i];
		struct boot_region range = {memory->base, memory->base + memory->length};

		if (memory->type != 1 && page_touches(page, range)) return false;
		is_ram |= memory->type == 1 && page_is_inside(page, range);
	}
	return is_ram && page >= FIRST_PAGE;
}

static enum page_kind page_judge(unsigned page, unsigned first_module) {
	enum page_kind kind = page_is_ram(page) ? PAGE_RAM : PAGE_DEVICE;

	for (unsigned i = first_module; i < random_facts.module_count; i++) {
		const struct boot_module *module = &random_facts.modules[i];

		if (page_touches(page, (struct boot_region){module->start, module->end}))
			kind = i > 0 || kind == PAGE_MODULE ? PAGE_MODULE : PAGE_KERNEL;
	}
	for (unsigned i = 0; i < random_facts.kept_count; i++)
		if (page_touches(page, random_facts.kept[i])) kind = PAGE_KERNEL;
	return kind;
}

static void random_machine(unsigned first_module) {
	random_facts.memory_count = 1 + random_below(ENTRIES);
	for (unsigned i = 0; i < random_facts.memory_count; i++) {
		struct boot_region range = random_range(random_below(4) ? 40 : PAGES);

		random_facts.memory[i] = (struct boot_memory){20, range.start,
			range.end - range.start, random_below(3) ? 1 : 2 + random_below(4)};
	}
	random_facts.kept_count = random_below(4);
	for (unsigned i = 0; i < random_facts.kept_count; i++) {
		struct boot_region range = random_range(30);

		random_facts.kept[i] = (struct boot_region){
			align_down(range.start, PAGE), align_up(range.end, PAGE)};
	}
	random_facts.module_count = random_below(5);
	for (unsigned i = 0; i < random_facts.module_count; i++) {
		struct boot_region range = random_range(50);

		random_facts.modules[i] = (struct boot_module){
			.start = range.start, .end = range.end + 1};
	}
	for (unsigned page = 0; page < PAGES; page++)
		pages[page] = page_judge(page, first_module);
}

static enum page_kind kind_found(unsigned page) {
	uint64_t start = (uint64_t)page * PAGE;

	if (is_in(&regions.modules, start, start + PAGE)) return PAGE_MODULE;
	if (is_in(&regions.memory, start, start + PAGE)) return PAGE_RAM;
	return is_in(&regions.device, start, start + PAGE) ? PAGE_DEVICE : PAGE_KERNEL;
}

static void check_apart(const struct region_list *one, const struct region_list *other) {
	for (unsigned i = 0; i < one->count; i++)
		check(!touches(other, one->regions[i].start, one->regions[i].end));
}

// No other choice of as many blocks holds more: what was left out is no larger than what is in.
static void check_choice(void) {
	uint64_t listed = 0;
	unsigned modules = 0;

	blocks = (struct block_list){};
	block_list_make(&blocks, &regions);
	for (unsigned i = 0; i < blocks.count; i++) {
		const struct bootinfo_untyped *block = &blocks.blocks[i];
		uint64_t end = block->paddr + (1ul << block->size_bits);

		if (is_in(&regions.modules, block->paddr, end))
			modules += 1u << (block->size_bits - 12);
		if (!block->is_device) listed += 1ul << block->size_bits;
		check(is_in(block->is_device ? &regions.device : &regions.memory, block->paddr,
			      end) ||
			is_in(&regions.modules, block->paddr, end));
	}
	check(listed + blocks.dropped_memory == region_bytes(&regions.memory));
	check(modules == region_bytes(&regions.modules) / PAGE);
	check(blocks.dropped == 0 || blocks.count == BOOTINFO_MAX_UNTYPED);
}

static void random_maps(void) {
	for (unsigned round = 0; round < 400; round++) {
		unsigned first_module = random_below(2);

		random_machine(first_module);
		regions_of_facts(&random_facts, &regions, first_module);
		for (unsigned page = 0; page < PAGES; page++)
			check(kind_found(page) == pages[page]);
		check_apart(&regions.memory, &regions.device);
		check_apart(&regions.memory, &regions.modules);
		check_apart(&regions.device, &regions.modules);
		check_choice();
	}
}

// As many ranges as a map may have, each a page apart from the next.
static void full_map(void) {
	random_facts = (struct boot_facts){.memory_count = BOOT_MAX_MEMORY, .module_count = 2};
	for (uint64_t i = 0; i < BOOT_MAX_MEMORY; i++)
		random_facts.memory[i] = (struct boot_memory){
			20, 0x1000000 + i * 0x5000, i == 700 ? 0x1000000 : 0x4000, 1};
	random_facts.modules[1] = (struct boot_module){.start = 0x1001000, .end = 0x1002fff};
	regions_of_facts(&random_facts, &regions, 0);
	check(is_in(&regions.modules, 0x1001000, 0x1003000));
	check(is_in(&regions.memory, 0x1000000 + 700 * 0x5000, 0x2000000 + 700 * 0x5000));
	check(is_in(&regions.memory, 0x1000000 + 1023 * 0x5000, 0x1004000 + 1023 * 0x5000));
	check(is_in(&regions.device, 0x1004000, 0x1005000));
	check_choice();
}

static const struct test rows[] = {
	{"MEMORY001", "random ranges are added and removed as on a map of bytes", ranges},
	{"MEMORY002", "a full list loses ranges but stays in order", full_list},
	{"MEMORY003", "ranges that touch are joined to one", joins},
	{"MEMORY004", "blocks are aligned powers of two that cover the ranges", blocks_cover},
	{"MEMORY005", "of too many blocks the smallest go, modules never", too_many_blocks},
	{"MEMORY006", "RAM, devices and modules of a machine are distinguished", machine},
	{"MEMORY007", "memory is taken from the first range that has it", taking},
	{"MEMORY008", "random maps give each page to whom the rules say", random_maps},
	{"MEMORY009", "each of 1024 ranges counts", full_map},
};

TESTS(boot_memory_tests);
