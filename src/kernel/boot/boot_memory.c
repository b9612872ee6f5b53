// SPDX-License-Identifier: BSD-2-Clause
// Physical memory at boot: which ranges are free, and how they are cut into untyped blocks.
#include <boot/boot_memory.h>

#include <abi/object.h>
#include <base/bits.h>
#include <base/compiler.h>
#include <base/memory.h>

enum { MEMORY_TYPE_RAM = 1, PAGE = 1 << PAGE_BITS };

#define FIRST_RAM (1ul << 20)
#define PHYSICAL_TOP (1ul << UNTYPED_MAX_BITS)

static void region_insert(struct region_list *list, unsigned at, struct boot_region region) {
	if (list->count == REGION_LIST_SIZE || region.start >= region.end) return;
	memmove(&list->regions[at + 1], &list->regions[at],
		(list->count - at) * sizeof(list->regions[0]));
	list->regions[at] = region;
	list->count++;
}

static void region_erase(struct region_list *list, unsigned at) {
	list->count--;
	memmove(&list->regions[at], &list->regions[at + 1],
		(list->count - at) * sizeof(list->regions[0]));
}

void region_remove(struct region_list *list, uint64_t start, uint64_t end) {
	for (unsigned i = list->count; i-- > 0;) {
		struct boot_region old = list->regions[i];

		if (start >= end || old.end <= start || old.start >= end) continue;
		region_erase(list, i);
		if (old.end > end) region_insert(list, i, (struct boot_region){end, old.end});
		if (old.start < start)
			region_insert(list, i, (struct boot_region){old.start, start});
	}
}

void region_add(struct region_list *list, uint64_t start, uint64_t end) {
	unsigned at = 0;

	while (at < list->count && list->regions[at].end < start)
		at++;
	while (at < list->count && list->regions[at].start <= end) {
		start = list->regions[at].start < start ? list->regions[at].start : start;
		end = list->regions[at].end > end ? list->regions[at].end : end;
		region_erase(list, at);
	}
	region_insert(list, at, (struct boot_region){start, end});
}

uint64_t region_take(struct region_list *list, uint64_t size, uint64_t limit) {
	for (unsigned i = 0; i < list->count; i++) {
		struct boot_region *region = &list->regions[i];
		uint64_t start = region->start;

		if (region->end - start < size || start + size > limit) continue;
		region->start += size;
		if (region->start == region->end) region_erase(list, i);
		return start;
	}
	return 0;
}

uint64_t region_bytes(const struct region_list *list) {
	uint64_t bytes = 0;

	for (unsigned i = 0; i < list->count; i++)
		bytes += list->regions[i].end - list->regions[i].start;
	return bytes;
}

// Facts come from outside the kernel: ends beyond what can be addressed are cut.
static uint64_t physical_clip(uint64_t address) {
	return address < PHYSICAL_TOP ? address : PHYSICAL_TOP;
}

static struct boot_region region_grow(uint64_t start, uint64_t end, uint64_t alignment) {
	return (struct boot_region){align_down(physical_clip(start), alignment),
		align_up(physical_clip(end), alignment)};
}

// Removes what a range touches, in whole units of alignment.
static void region_withhold(struct region_list *list, struct boot_region what, uint64_t alignment) {
	struct boot_region range = region_grow(what.start, what.end, alignment);

	if (what.start < what.end) region_remove(list, range.start, range.end);
}

static uint64_t memory_end(const struct boot_memory *memory) {
	uint64_t end;

	return __builtin_add_overflow(memory->base, memory->length, &end) ? PHYSICAL_TOP : end;
}

static void regions_of_ram(const struct boot_facts *facts, struct region_list *ram) {
	for (unsigned i = 0; i < facts->memory_count; i++) {
		const struct boot_memory *memory = &facts->memory[i];
		uint64_t start = align_up(physical_clip(memory->base), PAGE);
		uint64_t end = align_down(physical_clip(memory_end(memory)), PAGE);

		start = start < FIRST_RAM ? FIRST_RAM : start;
		if (memory->type == MEMORY_TYPE_RAM && start < end) region_add(ram, start, end);
	}
	for (unsigned i = 0; i < facts->memory_count; i++) {
		const struct boot_memory *memory = &facts->memory[i];
		struct boot_region other = {memory->base, memory_end(memory)};

		if (memory->type != MEMORY_TYPE_RAM) region_withhold(ram, other, PAGE);
	}
}

void regions_of_facts(
	const struct boot_facts *facts, struct regions *regions, unsigned first_module) {
	struct region_list *lists[] = {&regions->modules, &regions->device, &regions->memory};

	for (unsigned i = 0; i < array_count(lists); i++)
		lists[i]->count = 0;
	regions_of_ram(facts, &regions->memory);
	region_add(&regions->device, 0, PHYSICAL_TOP);
	for (unsigned i = 0; i < regions->memory.count; i++)
		region_withhold(&regions->device, regions->memory.regions[i], PAGE);
	for (unsigned i = first_module; i < facts->module_count; i++) {
		struct boot_region range = region_grow(
			facts->modules[i].start, facts->modules[i].end, PAGE);

		region_withhold(&regions->memory, range, PAGE);
		region_withhold(&regions->device, range, PAGE);
		if (i > 0) region_add(&regions->modules, range.start, range.end);
	}
	for (unsigned i = 0; i < array_count(lists); i++) {
		for (unsigned j = 0; j < facts->kept_count; j++)
			region_withhold(lists[i], facts->kept[j],
				lists[i] == &regions->device ? 1ul << UNTYPED_MIN_BITS : PAGE);
	}
}

// The list keeps the largest blocks: when it is full, the smallest after the fixed ones is dropped,
// and among the smallest device memory before RAM.
static void block_add(struct block_list *list, unsigned fixed, struct bootinfo_untyped block) {
	struct bootinfo_untyped *smallest = &list->blocks[fixed];
	struct bootinfo_untyped dropped = block;

	if (list->count < BOOTINFO_MAX_UNTYPED) {
		list->blocks[list->count++] = block;
		return;
	}
	for (unsigned i = fixed; i < list->count; i++)
		if (list->blocks[i].size_bits < smallest->size_bits) smallest = &list->blocks[i];
	if (fixed < list->count &&
		2 * smallest->size_bits + !smallest->is_device <
			2 * block.size_bits + !block.is_device) {
		dropped = *smallest;
		memmove(smallest, smallest + 1,
			(uint64_t)((char *)&list->blocks[list->count] - (char *)(smallest + 1)));
		list->blocks[list->count - 1] = block;
	}
	list->dropped++;
	if (!dropped.is_device) list->dropped_memory += 1ul << dropped.size_bits;
}

static void blocks_of_regions(struct block_list *list, const struct region_list *regions,
	unsigned fixed, bool is_device) {
	for (unsigned i = 0; i < regions->count; i++) {
		uint64_t start = regions->regions[i].start;
		uint64_t end = regions->regions[i].end;

		while (end - start >= 1ul << UNTYPED_MIN_BITS) {
			unsigned bits = bits_highest(end - start);

			if (start != 0 && bits_lowest(start) < bits) bits = bits_lowest(start);
			block_add(list, fixed,
				(struct bootinfo_untyped){.paddr = start,
					.size_bits = (uint8_t)bits,
					.is_device = is_device});
			start += 1ul << bits;
		}
	}
}

void block_list_make(struct block_list *list, const struct regions *regions) {
	unsigned modules;

	list->count = 0;
	blocks_of_regions(list, &regions->modules, 0, true);
	modules = list->count;
	blocks_of_regions(list, &regions->device, modules, true);
	blocks_of_regions(list, &regions->memory, modules, false);
}
