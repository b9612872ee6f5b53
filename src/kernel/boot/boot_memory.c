// SPDX-License-Identifier: BSD-2-Clause
// Physical memory at boot: which ranges are free, and how they are cut into untyped blocks.
#include <boot/boot_memory.h>

#include <abi/object.h>

enum { PAGE = 1 << PAGE_BITS, LARGE_PAGE = 2 << 20 };

#define FIRST_RAM (1ul << 20)
#define PHYSICAL_TOP (1ul << UNTYPED_MAX_BITS)

static void region_insert(struct region_list *list, unsigned at, struct range region) {
	if (list->count == REGION_LIST_SIZE) {
		list->lost++;
		return;
	}
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
		struct range old = list->regions[i];

		if (start >= end || old.end <= start || old.start >= end) continue;
		region_erase(list, i);
		if (old.end > end) region_insert(list, i, (struct range){end, old.end});
		if (old.start < start) region_insert(list, i, (struct range){old.start, start});
	}
}

void region_add(struct region_list *list, uint64_t start, uint64_t end) {
	unsigned at = 0;

	if (start >= end) return;
	while (at < list->count && list->regions[at].end < start)
		at++;
	while (at < list->count && list->regions[at].start <= end) {
		start = list->regions[at].start < start ? list->regions[at].start : start;
		end = list->regions[at].end > end ? list->regions[at].end : end;
		region_erase(list, at);
	}
	region_insert(list, at, (struct range){start, end});
}

uint64_t region_bytes(const struct region_list *list) {
	uint64_t bytes = 0;

	for (unsigned i = 0; i < list->count; i++)
		bytes += list->regions[i].end - list->regions[i].start;
	return bytes;
}

bool region_has(const struct region_list *list, uint64_t start, uint64_t size) {
	for (unsigned i = 0; i < list->count; i++) {
		struct range region = list->regions[i];

		if (region.start <= start && range_fits(start, size, region.end)) return true;
	}
	return false;
}

void memory_add(struct boot_memory *memory, uint64_t base, uint64_t length, uint32_t type) {
	bool is_ram = type == MEMORY_RAM, wraps = base + length < base;
	uint64_t end = wraps || base + length > memory->limit ? memory->limit : base + length;

	if (base >= end || (wraps && is_ram)) return;
	if (is_ram || type == MEMORY_ACPI_TABLES || type == MEMORY_ACPI_SAVED)
		region_add(
			&memory->visible, align_down(base, LARGE_PAGE), align_up(end, LARGE_PAGE));
	if (!is_ram)
		region_add(&memory->other, align_down(base, PAGE), align_up(end, PAGE));
	else if (region_has(&memory->visible, base, end - base))
		region_add(&memory->ram, align_up(base, PAGE), align_down(end, PAGE));
}

static void regions_subtract(struct region_list *from, const struct region_list *what) {
	for (unsigned i = 0; i < what->count; i++)
		region_remove(from, what->regions[i].start, what->regions[i].end);
}

static struct range module_range(const struct bootinfo_module *module) {
	return (struct range){
		align_down(module->paddr, PAGE), align_up(module->paddr + module->length, PAGE)};
}

void memory_sort(
	struct boot_memory *memory, const struct bootinfo_module *modules, unsigned module_count) {
	// RAM may go unused; what is no RAM must not be taken for it.
	if (memory->other.lost > 0) memory->ram.count = 0;
	regions_subtract(&memory->ram, &memory->other);
	memcpy(&memory->free, &memory->ram, sizeof(memory->free));
	region_remove(&memory->free, 0, FIRST_RAM);
	region_add(&memory->device, 0, PHYSICAL_TOP);
	regions_subtract(&memory->device, &memory->free);
	if (module_count > 0) memory->task = module_range(&modules[0]);
	for (unsigned i = 1; i < module_count; i++) {
		struct range range = module_range(&modules[i]);

		memory_keep(memory, range.start, range.end);
		region_add(&memory->modules, range.start, range.end);
	}
}

void memory_keep(struct boot_memory *memory, uint64_t start, uint64_t end) {
	uint64_t unit = 1ul << UNTYPED_MIN_BITS;

	region_remove(&memory->device, align_down(start, unit), align_up(end, unit));
	region_remove(&memory->free, align_down(start, PAGE), align_up(end, PAGE));
	region_remove(&memory->modules, align_down(start, PAGE), align_up(end, PAGE));
}

uint64_t memory_take(struct boot_memory *memory, uint64_t size, uint64_t limit) {
	for (unsigned i = 0; i < memory->free.count; i++) {
		struct range region = memory->free.regions[i], task = memory->task;

		if (region.start < task.end && region.start + size > task.start)
			region.start = task.end;
		if (region.start + size > region.end || region.start + size > limit) continue;
		memory_keep(memory, region.start, region.start + size);
		return region.start;
	}
	return 0;
}

// By size, and among equals RAM before a device's memory.
static unsigned block_rank(const struct bootinfo_untyped *block) {
	return 2u * block->size_bits + !block->is_device;
}

// The list keeps the blocks of the highest ranks: when it is full, one of the lowest after the
// fixed ones is dropped.
static void block_add(struct block_list *list, struct bootinfo_untyped block) {
	struct bootinfo_untyped *last = &list->blocks[list->count++], *dropped = last;

	*last = block;
	if (list->count <= BOOTINFO_MAX_UNTYPED) return;
	for (unsigned i = list->fixed; i < BOOTINFO_MAX_UNTYPED; i++)
		if (block_rank(&list->blocks[i]) < block_rank(dropped)) dropped = &list->blocks[i];
	list->dropped++;
	if (!dropped->is_device) list->dropped_memory += 1ul << dropped->size_bits;
	memmove(dropped, dropped + 1, (uint64_t)((char *)last - (char *)dropped));
	list->count--;
}

static void blocks_of_regions(
	struct block_list *list, const struct region_list *regions, bool is_device) {
	for (unsigned i = 0; i < regions->count; i++) {
		uint64_t start = regions->regions[i].start, end = regions->regions[i].end;

		while (end - start >= 1ul << UNTYPED_MIN_BITS) {
			unsigned bits = bits_highest(end - start);

			if (start != 0 && bits_lowest(start) < bits) bits = bits_lowest(start);
			block_add(list,
				(struct bootinfo_untyped){.paddr = start,
					.size_bits = (uint8_t)bits,
					.is_device = is_device});
			start += 1ul << bits;
		}
	}
}

void block_list_make(struct block_list *list, const struct boot_memory *memory) {
	list->count = list->fixed = 0;
	blocks_of_regions(list, &memory->modules, true);
	list->fixed = list->count;
	blocks_of_regions(list, &memory->device, true);
	blocks_of_regions(list, &memory->free, false);
}
