// SPDX-License-Identifier: BSD-2-Clause
// Memory at boot: ranges against a map of bytes, and blocks that cover them exactly.
#include "test.h"

#include <base/bits.h>
#include <boot/boot_memory.h>
#include <string.h>

enum {
	MAP = 512,
	PAGE = 4096,
	RANGES = 1024,
};

#define LIMIT (1ul << 46)

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
	check(list.count == REGION_LIST_SIZE && list.lost == REGION_LIST_SIZE);
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

static struct boot_memory memory;
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

	region_add(&memory.device, 0, 0x100000);
	region_add(&memory.device, 0x4000000, 0xfec00000);
	region_add(&memory.device, 0xfec01000, 0xfffffff0);
	region_add(&memory.device, 0x100000000, 1ul << 47);
	block_list_make(&blocks, &memory);
	check_blocks(0, &memory.device);
	for (unsigned i = 0; i < blocks.count; i++)
		covered += 1ul << blocks.blocks[i].size_bits;
	check(covered == region_bytes(&memory.device) && blocks.dropped == 0);
}

static void too_many_blocks(void) {
	memory = (struct boot_memory){};
	region_add(&memory.modules, 0x1000, 0x2000);
	for (uint64_t i = 1; i < 200; i++)
		region_add(&memory.free, i * 0x10000000, i * 0x10000000 + 0x18000);
	region_add(&memory.device, 0x3000, 0x3010);
	region_add(&memory.device, 0x8000, 0x10000);
	blocks = (struct block_list){};
	block_list_make(&blocks, &memory);
	// 199 of 64 KiB, the module, and 30 of 32 KiB, rather RAM than a device's.
	check(blocks.count == BOOTINFO_MAX_UNTYPED && blocks.dropped == 199 - 30 + 2);
	check(blocks.dropped_memory == (199ul - 30) << 15);
	check(blocks.blocks[0].paddr == 0x1000 && blocks.blocks[0].is_device);
	check(!blocks.blocks[1].is_device);
	check_blocks(1, &memory.free);
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

struct entry {
	uint64_t base, length;
	uint32_t type;
};

static void start(const struct entry *entries, unsigned count,
	const struct bootinfo_module *modules, unsigned module_count) {
	memory = (struct boot_memory){.limit = LIMIT};
	for (unsigned i = 0; i < count; i++)
		memory_add(&memory, entries[i].base, entries[i].length, entries[i].type);
	memory_sort(&memory, modules, module_count);
}

static void machine(void) {
	static const struct entry entries[] = {{0, 0x9fc00, 1}, {0x9fc00, 0x400, 2},
		{0x100000, 0x7fee0123, 1}, {0x20000000, 0x2000, 3}, {0x100000000, 0x80000000, 1},
		{0xffffffffffff0000, 0x20000, 1}};
	static const struct bootinfo_module modules[] = {
		{0x400000, 0x10000, ""}, {0x800123, 0x100000, ""}};
	const struct region_list *free = &memory.free, *device = &memory.device;

	start(entries, array_count(entries), modules, array_count(modules));
	memory_keep(&memory, 0x100000, 0x235000);
	memory_keep(&memory, 0xfee00000, 0xfee01000);
	memory_keep(&memory, 0xfffffff8, 0x100000000);
	check(is_in(free, 0x235000, 0x800000) && !touches(free, 0, 0x235000));
	check(is_in(free, 0x901000, 0x20000000) && is_in(free, 0x20002000, 0x7ffe0000));
	check(is_in(free, 0x100000000, 0x180000000));
	check(is_in(&memory.modules, 0x800000, 0x901000) && !touches(free, 0x800000, 0x901000));
	check(!touches(device, 0x800000, 0x901000) && memory.modules.count == 1);
	check(is_in(device, 0, 0x100000) && !touches(device, 0x100000, 0x235000));
	check(is_in(device, 0x20000000, 0x20002000) && is_in(device, 0x7ffe0000, 0xfee00000));
	check(!touches(device, 0xfee00000, 0xfee01000));
	check(is_in(device, 0xfee01000, 0xfffffff0));
	check(!touches(device, 0xfffffff0, 0x100000000));
	check(is_in(device, 0x180000000, 1ul << 47));
	for (unsigned i = 0; i < device->count; i++)
		check(!touches(free, device->regions[i].start, device->regions[i].end));
	check(is_in(&memory.visible, 0x20000000, 0x20002000));
	check(is_in(&memory.visible, 0, 0x80000000) &&
		!touches(&memory.visible, 0x80000000, 1ul << 32));
}

// The first module's memory is free, and no take gets it.
static void taking(void) {
	static const struct entry entries[] = {{0x101000, 0x1000, 1}, {0x104000, 0x8000, 1}};
	static const struct bootinfo_module task = {0x104123, 0x1000, ""};

	start(entries, array_count(entries), &task, 1);
	check(is_in(&memory.free, 0x104000, 0x10c000));
	check(memory_take(&memory, 0x3000, 0x108fff) == 0);
	check(memory_take(&memory, 0x3000, 0x109000) == 0x106000);
	check(memory_take(&memory, 0x4000, UINT64_MAX) == 0);
	check(memory_take(&memory, 0x1000, UINT64_MAX) == 0x101000 && memory.free.count == 2);
	check(is_in(&memory.free, 0x104000, 0x106000) && is_in(&memory.free, 0x109000, 0x10c000));
	check(memory_take(&memory, 0x3000, UINT64_MAX) == 0x109000 && memory.free.count == 1);
	check(!touches(&memory.device, 0x106000, 0x10c000));
}

// A small machine as a map of pages: random ranges of all kinds, then what the rules make of a
// page.

enum page_kind { PAGE_DEVICE, PAGE_RAM, PAGE_MODULE, PAGE_KERNEL };

enum { PAGES = 2048, FIRST_PAGE = 256, ENTRIES = 60 };

static struct {
	struct entry entries[ENTRIES];
	struct bootinfo_module modules[4];
	struct range kept[3];
	unsigned entry_count, module_count, kept_count;
} chosen;
static enum page_kind pages[PAGES];

static struct range random_range(unsigned longest) {
	uint64_t start = (uint64_t)random_below(PAGES) * PAGE +
		(random_below(2) ? random_below(PAGE) : 0);
	uint64_t size = (uint64_t)random_below(longest) * PAGE +
		(random_below(2) ? random_below(PAGE) : 0);

	return (struct range){start, start + size};
}

static bool page_touches(unsigned page, struct range range) {
	return range.start < range.end && range.start < (page + 1ul) * PAGE &&
		range.end > (uint64_t)page * PAGE;
}

static bool page_is_inside(unsigned page, struct range range) {
	return range.start <= (uint64_t)page * PAGE && range.end >= (page + 1ul) * PAGE;
}

// Each page of RAM that one entry holds whole, unless it is low or an entry of another type has a
// part of it. A union of ranges that each hold a part of a page is no RAM.
static bool page_is_ram(unsigned page) {
	bool is_ram = false;

	for (unsigned i = 0; i < chosen.entry_count; i++) {
		const struct entry *entry = &chosen.entries[i];
		struct range range = {entry->base, entry->base + entry->length};

		if (entry->type != 1 && page_touches(page, range)) return false;
		is_ram |= entry->type == 1 && page_is_inside(page, range);
	}
	return is_ram && page >= FIRST_PAGE;
}

static enum page_kind page_judge(unsigned page) {
	enum page_kind kind = page_is_ram(page) ? PAGE_RAM : PAGE_DEVICE;

	for (unsigned i = 1; i < chosen.module_count; i++) {
		const struct bootinfo_module *module = &chosen.modules[i];

		if (page_touches(
			    page, (struct range){module->paddr, module->paddr + module->length}))
			kind = PAGE_MODULE;
	}
	for (unsigned i = 0; i < chosen.kept_count; i++)
		if (page_touches(page, chosen.kept[i])) kind = PAGE_KERNEL;
	return kind;
}

static void random_machine(void) {
	chosen.entry_count = 1 + random_below(ENTRIES);
	for (unsigned i = 0; i < chosen.entry_count; i++) {
		struct range range = random_range(random_below(4) ? 40 : PAGES);

		chosen.entries[i] = (struct entry){range.start, range.end - range.start,
			random_below(3) ? 1 : 2 + random_below(4)};
	}
	chosen.kept_count = random_below(4);
	for (unsigned i = 0; i < chosen.kept_count; i++) {
		struct range range = random_range(30);

		chosen.kept[i] = (struct range){
			align_down(range.start, PAGE), align_up(range.end, PAGE)};
	}
	chosen.module_count = random_below(5);
	for (unsigned i = 0; i < chosen.module_count; i++) {
		struct range range = random_range(50);

		chosen.modules[i] = (struct bootinfo_module){
			.paddr = range.start, .length = range.end + 1 - range.start};
	}
	for (unsigned page = 0; page < PAGES; page++)
		pages[page] = page_judge(page);
	start(chosen.entries, chosen.entry_count, chosen.modules, chosen.module_count);
	for (unsigned i = 0; i < chosen.kept_count; i++)
		memory_keep(&memory, chosen.kept[i].start, chosen.kept[i].end);
}

static enum page_kind kind_found(unsigned page) {
	uint64_t start = (uint64_t)page * PAGE;

	if (is_in(&memory.modules, start, start + PAGE)) return PAGE_MODULE;
	if (is_in(&memory.free, start, start + PAGE)) return PAGE_RAM;
	return is_in(&memory.device, start, start + PAGE) ? PAGE_DEVICE : PAGE_KERNEL;
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
	block_list_make(&blocks, &memory);
	for (unsigned i = 0; i < blocks.count; i++) {
		const struct bootinfo_untyped *block = &blocks.blocks[i];
		uint64_t end = block->paddr + (1ul << block->size_bits);

		if (is_in(&memory.modules, block->paddr, end))
			modules += 1u << (block->size_bits - 12);
		if (!block->is_device) listed += 1ul << block->size_bits;
		check(is_in(block->is_device ? &memory.device : &memory.free, block->paddr, end) ||
			is_in(&memory.modules, block->paddr, end));
	}
	check(listed + blocks.dropped_memory == region_bytes(&memory.free));
	check(modules == region_bytes(&memory.modules) / PAGE);
	check(blocks.dropped == 0 || blocks.count == BOOTINFO_MAX_UNTYPED);
}

static void random_maps(void) {
	for (unsigned round = 0; round < 400; round++) {
		random_machine();
		for (unsigned page = 0; page < PAGES; page++)
			check(kind_found(page) == pages[page]);
		check_apart(&memory.free, &memory.device);
		check_apart(&memory.free, &memory.modules);
		check_apart(&memory.device, &memory.modules);
		check_choice();
	}
}

// As many ranges as a list may have but for those that a module and devices need, each a page apart
// from the next.
static void full_map(void) {
	static struct entry entries[RANGES];
	static const struct bootinfo_module modules[] = {{}, {0x1001000, 0x1fff, ""}};

	for (uint64_t i = 0; i < RANGES; i++)
		entries[i] = (struct entry){
			0x1000000 + i * 0x5000, i == 700 ? 0x1000000 : 0x4000, 1};
	start(entries, RANGES, modules, 2);
	check(is_in(&memory.modules, 0x1001000, 0x1003000));
	check(is_in(&memory.free, 0x1000000 + 700 * 0x5000, 0x2000000 + 700 * 0x5000));
	check(is_in(&memory.free, 0x1000000 + 1023 * 0x5000, 0x1004000 + 1023 * 0x5000));
	check(is_in(&memory.device, 0x1004000, 0x1005000));
	check_choice();
}

// RAM for which there is no room goes unused; what is no RAM is known, or nothing is RAM.
static void map_overflows(void) {
	enum { OVER = 100, ALL = REGION_LIST_SIZE + OVER };

	memory = (struct boot_memory){.limit = LIMIT};
	for (uint64_t i = 0; i < ALL; i++) {
		memory_add(&memory, i << 22, 0x1000, 1);
		memory_add(&memory, (i << 22) + 0x1000, 0x1000, 1);
	}
	memory_add(&memory, 1ul << 22, 0x1000, 2);
	memory_sort(&memory, NULL, 0);
	check(memory.visible.lost == 2 * OVER && memory.ram.count == REGION_LIST_SIZE);
	for (unsigned i = 0; i < memory.ram.count; i++)
		check(is_in(
			&memory.visible, memory.ram.regions[i].start, memory.ram.regions[i].end));
	check(!touches(&memory.free, 1ul << 22, (1ul << 22) + 0x1000));
	for (uint64_t i = 0; i < ALL; i++)
		memory_add(&memory, i << 23, 0x1000, 2);
	memory_sort(&memory, NULL, 0);
	check(memory.other.lost > 0 && memory.free.count == 0);
}

// Empty and wrapping entries, and memory that is too high.
static void map_odd(void) {
	static const struct entry entries[] = {{0x200000, 0, 1}, {0x200123, 0, 2},
		{0x400000, 0x1000, 1}, {0x401000, 0x1000, 1}, {0x300000, -0x1000ul, 1},
		{0x500000, -0x1000ul, 2}, {0x600000, 0x1000, 1}, {0x403000, 0x800, 1},
		{LIMIT - 0x1000, 0x3000, 1}, {LIMIT, 0x1000, 1}};

	start(entries, array_count(entries) - 2, NULL, 0);
	check(memory.ram.count == 1 && is_in(&memory.ram, 0x400000, 0x402000));
	check(memory.other.count == 1 && is_in(&memory.other, 0x500000, LIMIT));
	start(entries + 8, 2, NULL, 0);
	check(memory.ram.count == 1 && is_in(&memory.ram, LIMIT - 0x1000, LIMIT));
	check(!touches(&memory.visible, LIMIT, UINT64_MAX));
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
	{"MEMORY010", "RAM without room in a full list goes unused", map_overflows},
	{"MEMORY011", "empty, split and wrapping ranges, and RAM that is too high", map_odd},
};

TESTS(boot_memory_tests);
