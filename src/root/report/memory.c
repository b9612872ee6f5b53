// SPDX-License-Identifier: BSD-2-Clause
// The loader's map, as far as bootinfo has it, and what of the addresses programs can have.
#include <root/report/report.h>

#include <stdbool.h>

#include <abi/bootinfo.h>

#include <user/print.h>
#include <user/root/root.h>

// Of BOOTINFO_MEMORY_MAP (BOOT-16): bytes of entries, then these.
struct [[gnu::packed]] entry {
	uint32_t size;
	uint64_t base;
	uint64_t length;
	uint32_t type;
};

struct [[gnu::packed]] map {
	seL4_BootInfoHeader header;
	uint32_t size;
	struct entry entries[];
};

static void print_map(const seL4_BootInfo *bootinfo) {
	const struct map *map = (const void *)bootinfo_find(bootinfo, BOOTINFO_MEMORY_MAP);

	for (uint32_t i = 0; map && i < map->size / sizeof(struct entry); i++)
		print("report: map base=0x%lx length=0x%lx type=%u\n", map->entries[i].base,
			map->entries[i].length, map->entries[i].type);
}

static void print_range(seL4_Word start, seL4_Word end, bool is_device) {
	if (start < end)
		print("report: untyped base=0x%lx length=0x%lx device=%u\n", start, end - start,
			is_device);
}

// Neighbours of a kind in one line.
void report_memory(const seL4_BootInfo *bootinfo) {
	seL4_Word count = bootinfo->untyped.end - bootinfo->untyped.start;
	seL4_Word start = 0, end = 0;
	bool is_device = false;

	print_map(bootinfo);
	for (seL4_Word i = 0; i < count && i < BOOTINFO_MAX_UNTYPED; i++) {
		const seL4_UntypedDesc *block = &bootinfo->untypedList[i];

		if (block->paddr != end || block->isDevice != is_device) {
			print_range(start, end, is_device);
			start = block->paddr;
			is_device = block->isDevice;
		}
		end = block->paddr + (1ul << block->sizeBits);
	}
	print_range(start, end, is_device);
}
