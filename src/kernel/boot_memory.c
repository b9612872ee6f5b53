// SPDX-License-Identifier: BSD-2-Clause
// Physical memory at boot: which ranges are free, and how they are cut into untyped blocks.
#include <kernel/boot_memory.h>

#include <abi/object.h>
#include <base/bits.h>
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

	region_remove(list, start, end);
	while (at < list->count && list->regions[at].start < start)
		at++;
	region_insert(list, at, (struct boot_region){start, end});
}

uint64_t region_take(struct region_list *list, uint64_t size) {
	for (unsigned i = 0; i < list->count; i++) {
		struct boot_region *region = &list->regions[i];
		uint64_t start = region->start;

		if (region->end - start < size) continue;
		region->start += size;
		if (region->start == region->end) region_erase(list, i);
		return start;
	}
	return 0;
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

	region_remove(list, range.start, range.end);
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
	const struct boot_facts *facts, struct region_list *memory, struct region_list *device) {
	regions_of_ram(facts, memory);
	region_add(device, 0, PHYSICAL_TOP);
	for (unsigned i = 0; i < memory->count; i++)
		region_remove(device, memory->regions[i].start, memory->regions[i].end);
	for (unsigned i = 0; i < facts->module_count; i++) {
		struct boot_region range = region_grow(
			facts->modules[i].start, facts->modules[i].end, PAGE);
		region_remove(memory, range.start, range.end);
		(i > 0 ? region_add : region_remove)(device, range.start, range.end);
	}
	for (unsigned i = 0; i < facts->reserved_count; i++) {
		region_withhold(memory, facts->reserved[i], PAGE);
		region_withhold(device, facts->reserved[i], PAGE);
	}
	for (unsigned i = 0; i < facts->kept_count; i++) {
		region_withhold(memory, facts->kept[i], PAGE);
		region_withhold(device, facts->kept[i], 1ul << UNTYPED_MIN_BITS);
	}
}

static void block_drop_smallest(struct block_list *list) {
	unsigned smallest = 0;

	for (unsigned i = 1; i < list->count; i++)
		if (list->blocks[i].size_bits < list->blocks[smallest].size_bits) smallest = i;
	list->dropped++;
	list->dropped_bytes += 1ul << list->blocks[smallest].size_bits;
	list->count--;
	memmove(&list->blocks[smallest], &list->blocks[smallest + 1],
		(list->count - smallest) * sizeof(list->blocks[0]));
}

void block_list_append(
	struct block_list *list, const struct region_list *regions, enum block_kind kind) {
	for (unsigned i = 0; i < regions->count; i++) {
		uint64_t start = regions->regions[i].start;
		uint64_t end = regions->regions[i].end;

		while (end - start >= 1ul << UNTYPED_MIN_BITS) {
			unsigned bits = bits_highest(end - start);

			if (start != 0 && bits_lowest(start) < bits) bits = bits_lowest(start);
			if (list->count == BOOTINFO_MAX_UNTYPED) block_drop_smallest(list);
			list->blocks[list->count++] = (struct bootinfo_untyped){
				.paddr = start, .size_bits = (uint8_t)bits, .is_device = kind};
			start += 1ul << bits;
		}
	}
}
