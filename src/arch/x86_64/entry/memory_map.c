// SPDX-License-Identifier: BSD-2-Clause
// Searches in the loader's memory map.
#include <entry/memory_map.h>

#include <base/bits.h>
#include <base/panic.h>
#include <entry/multiboot.h>

#define PAGE_SIZE 4096ul
#define LOWEST (1ul << 20)
#define HIGHEST (1ul << 32)

unsigned memory_map_visible(const struct boot_facts *facts, struct kernel_map_range *ranges) {
	unsigned count = 0;

	for (unsigned i = 0; i < facts->memory_count; i++) {
		const struct boot_memory *memory = &facts->memory[i];

		if (memory->type == MEMORY_RAM || memory->type == MEMORY_ACPI_TABLES ||
			memory->type == MEMORY_ACPI_SAVED)
			ranges[count++] = (struct kernel_map_range){
				memory->base, memory->base + memory->length};
	}
	return count;
}

// The end of a range in use that overlaps [start, end), or 0.
static uint64_t overlap_end(const struct boot_facts *facts, uint64_t start, uint64_t end) {
	for (unsigned i = 0; i < facts->reserved_count; i++) {
		if (start < facts->reserved[i].end && facts->reserved[i].start < end)
			return facts->reserved[i].end;
	}
	for (unsigned i = 0; i < facts->module_count; i++) {
		if (start < facts->modules[i].end && facts->modules[i].start < end)
			return facts->modules[i].end;
	}
	// Entries of other types win where a firmware's map overlaps itself.
	for (unsigned i = 0; i < facts->memory_count; i++) {
		const struct boot_memory *memory = &facts->memory[i];
		uint64_t memory_end = memory->base + memory->length;

		if (memory->type != MEMORY_RAM && start < memory_end && memory->base < end)
			return memory_end;
	}
	return 0;
}

bool memory_map_find(const struct boot_facts *facts, uint64_t size, struct kernel_map_range *room) {
	for (unsigned i = 0; i < facts->memory_count; i++) {
		const struct boot_memory *memory = &facts->memory[i];
		uint64_t end = memory->base + memory->length;
		uint64_t next = memory->base < LOWEST ? LOWEST : memory->base;

		if (memory->type != MEMORY_RAM) continue;
		end = end > HIGHEST ? HIGHEST : end;
		while (align_up(next, PAGE_SIZE) + size <= end) {
			room->start = align_up(next, PAGE_SIZE);
			room->end = room->start + size;
			next = overlap_end(facts, room->start, room->end);
			if (!next) return true;
		}
	}
	return false;
}

void memory_map_reserve(struct boot_facts *facts, uint64_t start, uint64_t end) {
	assert(facts->reserved_count < BOOT_MAX_REGIONS);
	facts->reserved[facts->reserved_count++] = (struct boot_region){start, end};
}
