// SPDX-License-Identifier: BSD-2-Clause
// Kernel page tables: W^X for the image, and a window in which the image's text and constants are
// read-only too, so no alias can change them.
#include <cpu/kernel_map.h>

#include <base/bits.h>
#include <base/memory.h>
#include <base/panic.h>
#include <cpu/features.h>
#include <cpu/paging.h>
#include <cpu/registers.h>
#include <stdalign.h>
#include <stddef.h>

#define MIB (1ul << 20)
#define GIB (1ul << 30)

// Entry bits (SDM 3, 4.5). PWT and PCD together select PAT entry 3: uncacheable.
#define ENTRY_PRESENT (1ul << 0)
#define ENTRY_WRITE (1ul << 1)
#define ENTRY_UNCACHED (3ul << 3)
#define ENTRY_LEAF (1ul << 7)
#define ENTRY_GLOBAL (1ul << 8)
#define ENTRY_NO_EXECUTE (1ul << 63)
#define ENTRY_ADDRESS 0x000ffffffffff000ul

#define DATA_BITS (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_GLOBAL | ENTRY_NO_EXECUTE)
#define CONSTANT_BITS (ENTRY_PRESENT | ENTRY_GLOBAL | ENTRY_NO_EXECUTE)
#define TEXT_BITS (ENTRY_PRESENT | ENTRY_GLOBAL)

#define TABLE_ENTRIES 512
#define PAGE_SIZE 4096ul
#define WINDOW_LIMIT (64ul << 40)
#define VGA_START 0xa0000ul
#define VGA_END 0xc0000ul

// From kernel.ld: all page aligned.
extern const char image_start[], text_end[], rodata_end[], image_end[], kernel_stack_guard[];

// Written by kernel_map_init only.
static alignas(PAGE_SIZE) uint64_t root[TABLE_ENTRIES];

static struct kernel_map_range pool; // its free part

static uint64_t image_address(const char *symbol) { return physical_of_image(symbol).value; }

struct kernel_map_range kernel_map_image(void) {
	return (struct kernel_map_range){image_address(image_start), image_address(image_end)};
}

const uint64_t *kernel_map_root(void) { return root; }

physical_t kernel_map_root_physical(void) { return physical_of_image(root); }

static uint64_t table_take(void) {
	uint64_t table = pool.start;

	if (table >= pool.end) panic("kernel map: more tables than planned");
	pool.start += PAGE_SIZE;
	memset(physical_pointer(physical(table)), 0, PAGE_SIZE);
	return table;
}

// The entry for virtual at level (1: page, 2: 2 MiB, 3: 1 GiB), or null under a larger leaf.
static uint64_t *entry_find(uint64_t virtual, unsigned level) {
	uint64_t *table = root;

	for (unsigned here = 4;; here--) {
		uint64_t *entry = &table[virtual >> paging_shift(here) & (TABLE_ENTRIES - 1)];

		if (here == level) return entry;
		if (!*entry) *entry = table_take() | ENTRY_PRESENT | ENTRY_WRITE;
		if (*entry & ENTRY_LEAF) return NULL;
		table = physical_pointer(physical(*entry & ENTRY_ADDRESS));
	}
}

// Maps in the largest pages that fit; what is mapped already stays.
static void map(uint64_t virtual, uint64_t physical, uint64_t size, uint64_t bits) {
	uint64_t step;

	for (uint64_t at = 0; at < size; at += step) {
		unsigned level = feature_has(FEATURE_GIB_PAGES) ? 3 : 2;
		uint64_t *entry;

		while (size - at < paging_span(level) ||
			!is_aligned((virtual + at) | (physical + at), paging_span(level)))
			level--;
		step = paging_span(level);
		entry = entry_find(virtual + at, level);
		if (entry && !*entry)
			*entry = (physical + at) | bits | (level > 1 ? ENTRY_LEAF : 0);
	}
}

static void map_image(const char *start, const char *end, uint64_t bits) {
	map((uint64_t)start, image_address(start), (uint64_t)(end - start), bits);
}

// The window's first megabytes, with 4 KiB pages: fixed MTRRs have many types below 1 MiB (SDM 3,
// 11.11.9), and the image needs its own rights.
static uint64_t window_low_end(void) { return align_up(image_address(image_end), 2 * MIB); }

static uint64_t window_low_bits(uint64_t page) {
	if (page >= VGA_START && page < VGA_END) return DATA_BITS | ENTRY_UNCACHED;
	if (page >= image_address(image_start) && page < image_address(rodata_end))
		return CONSTANT_BITS;
	return DATA_BITS;
}

static bool is_memory(const struct kernel_map_plan *plan, uint64_t start, uint64_t end) {
	for (unsigned i = 0; i < plan->count; i++) {
		if (plan->memory[i].start < end && start < plan->memory[i].end) return true;
	}
	return false;
}

// Up to 4 GiB all is visible: memory cached, the rest (APICs among it) uncached.
static void map_below_4gib(const struct kernel_map_plan *plan) {
	uint64_t at = 0;

	for (; at < window_low_end(); at += PAGE_SIZE)
		map(PHYSICAL_WINDOW + at, at, PAGE_SIZE, window_low_bits(at));
	for (; at < 4 * GIB; at += 2 * MIB)
		map(PHYSICAL_WINDOW + at, at, 2 * MIB,
			DATA_BITS | (is_memory(plan, at, at + 2 * MIB) ? 0 : ENTRY_UNCACHED));
}

static struct kernel_map_range range_above_4gib(const struct kernel_map_range *memory) {
	uint64_t start = align_down(memory->start, 2 * MIB);
	uint64_t end = memory->end < WINDOW_LIMIT ? align_up(memory->end, 2 * MIB) : WINDOW_LIMIT;

	start = start < 4 * GIB ? 4 * GIB : start;
	return (struct kernel_map_range){start, end < start ? start : end};
}

uint64_t kernel_map_pool_size(const struct kernel_map_plan *plan) {
	// Image: three tables and one for each 2 MiB; window below 4 GiB: a table for each GiB, one
	// for the PDPT, and those of the low end.
	uint64_t tables = 4 + 5 + 2 * (window_low_end() / (2 * MIB) + 1);

	for (unsigned i = 0; i < plan->count; i++) {
		struct kernel_map_range range = range_above_4gib(&plan->memory[i]);
		uint64_t gibs = (range.end - range.start) / GIB + 2;

		if (range.end == range.start) continue;
		// With 1 GiB pages only the two ends need a page directory.
		tables += (feature_has(FEATURE_GIB_PAGES) ? 2 : gibs) + gibs / TABLE_ENTRIES + 2;
	}
	return tables * PAGE_SIZE;
}

uint64_t kernel_map_init(const struct kernel_map_plan *plan) {
	pool = plan->pool;
	map_image(image_start, text_end, TEXT_BITS);
	map_image(text_end, rodata_end, CONSTANT_BITS);
	map_image(rodata_end, image_end, DATA_BITS);
	// Running off the kernel stack hits nothing.
	*entry_find((uint64_t)kernel_stack_guard, 1) = 0;

	map_below_4gib(plan);
	for (unsigned i = 0; i < plan->count; i++) {
		struct kernel_map_range range = range_above_4gib(&plan->memory[i]);

		map(PHYSICAL_WINDOW + range.start, range.start, range.end - range.start, DATA_BITS);
	}
	cr3_write(kernel_map_root_physical().value);
	return pool.start;
}
