// SPDX-License-Identifier: BSD-2-Clause
// Kernel page tables: W^X for the image, and a window in which the image's text and constants are
// read-only too, so no alias can change them.
#include <cpu/kernel_map.h>

#include <cpu/mitigations.h>
#include <cpu/platform.h>

#define DATA_BITS (ENTRY_PRESENT | ENTRY_WRITABLE | ENTRY_GLOBAL | ENTRY_NO_EXECUTE)
#define CONSTANT_BITS (ENTRY_PRESENT | ENTRY_GLOBAL | ENTRY_NO_EXECUTE)
#define TEXT_BITS (ENTRY_PRESENT | ENTRY_GLOBAL)

#define WINDOW_SIZE (KERNEL_IMAGE - PHYSICAL_WINDOW)
#define VGA_START 0xa0000ul
#define VGA_END 0xc0000ul

// From kernel.ld: all page aligned.
extern const char entry_text[], entry_text_end[];
extern const char text_end[], rodata_end[];

static struct kernel_map *this_map(void) { return &this_cpu()->platform->map; }

static uint64_t image_address(const void *symbol) { return physical_of_image(symbol).value; }

const uint64_t *kernel_map_root(void) { return this_map()->shared; }

physical_t kernel_map_root_physical(void) { return physical_of_image(this_map()->root); }

static uint64_t table_take(void) {
	struct kernel_map *self = this_map();
	uint64_t table = self->pool_next;

	if (table >= self->pool_end) panic("kernel map: more tables than planned");
	self->pool_next += PAGE_SIZE;
	memset(physical_pointer(physical(table)), 0, PAGE_SIZE);
	return table;
}

// The entry for virtual at level (1: page, 2: 2 MiB, 3: 1 GiB), or the larger leaf above it.
static uint64_t *entry_find(uint64_t *table, uint64_t virtual, unsigned level) {
	for (unsigned here = 4;; here--) {
		uint64_t *entry = paging_entry(table, virtual, here);

		if (here == level || paging_is_page(*entry, here)) return entry;
		if (!*entry) *entry = table_take() | ENTRY_PRESENT | ENTRY_WRITABLE;
		table = physical_pointer(paging_target(*entry, 1));
	}
}

// Of a page; ENTRY_LARGE_PAT is at another place in a small one.
static uint64_t page_bits(uint64_t bits, unsigned level) {
	if (level > 1) return bits | PAGING_LARGE;
	return bits & ENTRY_LARGE_PAT ? bits ^ (ENTRY_LARGE_PAT | ENTRY_PAT) : bits;
}

// Maps physical [start, end) at base (on a 1 GiB boundary) in the largest pages that fit; what is
// mapped already stays.
static void map(uint64_t *root, uint64_t base, uint64_t start, uint64_t end, uint64_t bits) {
	unsigned level;

	for (uint64_t at = start; at < end; at += paging_span(level)) {
		uint64_t *entry;

		level = feature_has(FEATURE_GIB_PAGES) ? 3 : 2;
		entry = entry_find(root, base + at, level);
		while (end - at < paging_span(level) || !is_aligned(at, paging_span(level)) ||
			paging_is_table(*entry, level))
			entry = entry_find(root, base + at, --level);
		if (!*entry) *entry = at | page_bits(bits, level);
	}
}

static void map_image(uint64_t *root, const void *start, const void *end, uint64_t bits) {
	map(root, KERNEL_IMAGE, image_address(start), image_address(end), bits);
}

uint64_t kernel_map_ram_end(void) {
	unsigned bits = cpuid_leaf(0x80000008, 0).eax & 0xff; // SDM 3A 4.1.4

	return bits < 47 ? 1ul << (bits ? bits : 36) : WINDOW_SIZE;
}

uint64_t kernel_map_pool_size(unsigned count, uint64_t size) {
	// Image and its alias in the window: three tables and one for each 2 MiB; window below
	// 4 GiB: a table for each GiB, one for the PDPT, and that of the VGA memory.
	// The isolated entry code needs a root and five tables more; the screen, which begins and
	// ends anywhere, as many.
	uint64_t tables = 6 + 6 + 6 + 6 + 2 * (image_address(image_end) / (2 * MIB) + 1);

	// The two ends of a range, and with 1 GiB pages nothing else, need a page directory each. A
	// core's state is in two pieces of 2 MiB at most, which need a table each in the image's
	// half, and another one where programs are isolated.
	tables += 4 * (count + ACPI_MAX_CORES) + size / GIB / PAGING_ENTRIES;
	if (!feature_has(FEATURE_GIB_PAGES)) tables += size / GIB;
	return tables * PAGE_SIZE;
}

// What the entry code needs of a core, in every address space.
static void show(const struct cpu *cpu) {
	map_image(this_map()->shared, cpu, &cpu->benchmark, DATA_BITS);
}

void kernel_map_start(
	struct range pool, const struct range *ranges, unsigned count, struct range screen) {
	struct kernel_map *self = this_map();
	uint64_t *root = self->shared = self->root;

	self->pool_next = pool.start;
	self->pool_end = pool.end;
	map_image(root, image_start, text_end, TEXT_BITS);
	map_image(root, text_end, rodata_end, CONSTANT_BITS);
	map_image(root, rodata_end, image_end, DATA_BITS);
	// Running off the kernel stack hits nothing.
	*entry_find(root, (uint64_t)this_cpu()->stack_guard, 1) = 0;

	map(root, PHYSICAL_WINDOW, image_address(image_start), image_address(rodata_end),
		CONSTANT_BITS);
	map(root, PHYSICAL_WINDOW, align_down(screen.start, PAGE_SIZE),
		align_up(screen.end, PAGE_SIZE), DATA_BITS | ENTRY_LARGE_PAT);
	// 4 KiB pages below 2 MiB: fixed MTRRs have many types there (SDM 3A 12.11.9).
	map(root, PHYSICAL_WINDOW, VGA_START, VGA_END, DATA_BITS | ENTRY_UNCACHED);
	map(root, PHYSICAL_WINDOW, 0, 2 * MIB, DATA_BITS);
	for (unsigned i = 0; i < count; i++)
		map(root, PHYSICAL_WINDOW, ranges[i].start, ranges[i].end, DATA_BITS);

	// Address spaces map the entry code, and what it needs, and nothing else.
	if (this_cpu()->mitigations & MITIGATION_BIT(KPTI)) {
		self->shared = physical_pointer(physical(table_take()));
		map_image(self->shared, entry_text, entry_text_end, TEXT_BITS);
	}
	show(this_cpu());
	map(root, PHYSICAL_WINDOW, 0, 4 * GIB, DATA_BITS | ENTRY_UNCACHED);
	cr3_write(kernel_map_root_physical().value);
}

void kernel_map_core(const struct cpu *cpu) {
	uint64_t *root = this_map()->root;

	map_image(root, cpu, cpu->stack_guard, DATA_BITS);
	map_image(root, cpu->stack, cpu + 1, DATA_BITS);
	show(cpu);
}
