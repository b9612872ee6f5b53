// SPDX-License-Identifier: BSD-2-Clause
// The walker and the entries of each format.
#include "rows.h"
#include "test.h"
#include "world.h"

#include <string.h>

// Written down from the manual once more, so that the rows are compared with something.
#define P 1ul
#define W 2ul
#define U 4ul
#define PWT 8ul
#define PCD 16ul
#define LARGE 128ul
#define EPT_READ 1ul
#define EPT_EXECUTE 4ul

static uint64_t page_entry(const struct paging_format *format, unsigned level,
	enum paging_access access, uint64_t attributes) {
	physical_t page = physical(0x40000000);

	return paging_page_entry(format, page, level, access, attributes, false) - page.value;
}

static void host_rights(void) {
	check(page_entry(&paging_host, 1, PAGING_READ_WRITE, 0) == (P | W | U));
	check(page_entry(&paging_host, 1, PAGING_READ, 0) == (P | U));
	check(page_entry(&paging_host, 2, PAGING_READ_WRITE, 0) == (P | W | U | LARGE));
	check(page_entry(&paging_host, 3, PAGING_READ, 0) == (P | U | LARGE));
	for (unsigned level = 1; level <= 3; level++) {
		for (unsigned access = 0; access < PAGING_ACCESSES; access++)
			check(!(page_entry(&paging_host, level, access, ~0ul) >> 63));
	}
}

static void host_attributes(void) {
	const uint64_t base = P | W | U;

	check(page_entry(&paging_host, 1, PAGING_READ_WRITE, 1) == (base | PWT));
	check(page_entry(&paging_host, 1, PAGING_READ_WRITE, 2) == (base | PCD));
	check(page_entry(&paging_host, 1, PAGING_READ_WRITE, 4) == (base | 1ul << 7));
	check(page_entry(&paging_host, 2, PAGING_READ_WRITE, 4) == (base | LARGE | 1ul << 12));
	check(page_entry(&paging_host, 3, PAGING_READ_WRITE, 4) == (base | LARGE));
	check(page_entry(&paging_host, 1, PAGING_READ_WRITE, ~7ul) == base);
	check(paging_table_entry(&paging_host, physical(0x5000), ~0ul) ==
		(0x5000 | base | PWT | PCD));
	check(paging_table_entry(&paging_host, physical(0x5000), 0) == (0x5000 | base));
}

static void guest_rights(void) {
	const uint64_t write_back = 6 << 3;
	const uint64_t read = EPT_READ | EPT_EXECUTE;

	check(page_entry(&paging_ept, 1, PAGING_READ, 6) == (read | write_back));
	check(page_entry(&paging_ept, 1, PAGING_READ_WRITE, 6) == (read | 2 | write_back));
	check(page_entry(&paging_ept, 2, PAGING_READ, 6) == (read | write_back | LARGE));
	check((page_entry(&paging_ept, 1, PAGING_NO_ACCESS, 0) & 7) == 0);
	check((page_entry(&paging_ept, 1, PAGING_WRITE, 0) & 7) == 0);
	check(!paging_is_free(page_entry(&paging_ept, 1, PAGING_NO_ACCESS, 0)));
	check(paging_table_entry(&paging_ept, physical(0x5000), ~0ul) == (0x5000 | 7));
}

static void guest_memory_types(void) {
	for (uint64_t type = 0; type < 64; type++) {
		bool known = type == 0 || type == 1 || type == 4 || type == 6;
		uint64_t entry = page_entry(&paging_ept, 1, PAGING_READ, type);

		check((entry >> 3 & 15) == (known ? type : 6));
	}
}

#define NESTED_PAT(level) ((level) == 1 ? 1ul << 7 : 1ul << 12)

// AMD's nested tables are in the host's format (APM 2 15.25.5, 5.3): bits 0 to 2 and 52 of every
// entry, 63 of none, and of a page its kind, its memory type, and nothing more.
static void nested_rights(void) {
	for (unsigned level = 1; level <= 3; level++) {
		const uint64_t kind = level > 1 ? LARGE : 0;

		check(page_entry(&paging_npt, level, PAGING_READ_WRITE, 6) == (P | W | U | kind));
		check(page_entry(&paging_npt, level, PAGING_READ, 6) == (P | U | kind));
		check((page_entry(&paging_npt, level, PAGING_NO_ACCESS, 6) & 1) == 0);
		check((page_entry(&paging_npt, level, PAGING_WRITE, 6) & 1) == 0);
	}
	// What a table says holds for all below it, and its memory type is that of the walk.
	check(paging_table_entry(&paging_npt, physical(0x5000), ~0ul) == (0x5000 | P | W | U));
	check(paging_npt.root_entries == PAGING_ENTRIES && paging_npt.largest_page == 2);
}

// PAT, PCD and PWT choose a byte of the host's PAT (APM 2 7.8.1), which is the type.
static void nested_memory_types(void) {
	for (unsigned level = 1; level <= 2; level++) {
		for (uint64_t type = 0; type < 64; type++) {
			bool known = type == 0 || type == 1 || type == 4 || type == 6;
			uint64_t entry = page_entry(&paging_npt, level, PAGING_READ, type);
			uint64_t pat = NESTED_PAT(level);
			unsigned index = (entry & pat ? 4 : 0) | (entry & PCD ? 2 : 0) |
				(entry & PWT ? 1 : 0);

			check((PAGING_PAT >> 8 * index & 7) == (known ? type : 6));
			check((entry & ~(pat | PCD | PWT)) == (P | U | (level > 1 ? LARGE : 0)));
		}
	}
}

// Every translation is forgotten at once, for a page and for a space.
static void nested_invalidation(void) {
	unsigned before = world.all_flushes;

	paging_npt.invalidate(physical(0x1000), 1, 0x5000);
	check(world.all_flushes == before + 1);
	paging_npt.invalidate(physical(0x1000), 1, EVERY_PAGE);
	check(world.all_flushes == before + 2);
}

static void walk_missing(void) {
	const struct paging_format *const formats[] = {
		&paging_host, &paging_ept, &paging_npt, &nested_format, &dma_format};

	for (unsigned i = 0; i < array_count(formats); i++) {
		uint64_t *root = world_allocate(1);
		uint64_t *pdpt = world_allocate(1);
		uint64_t *directory = world_allocate(1);
		uint64_t *table = world_allocate(1);
		const uint64_t address = 0x123456789000;

		check(paging_walk(root, address, 4).entry == &root[0x24]);
		check(paging_walk(root, address, 1).missing_bits == 39);
		root[0x24] = paging_table_entry(formats[i], physical_of(pdpt), 0);
		check(paging_walk(root, address, 3).entry == &pdpt[0xd1]);
		check(paging_walk(root, address, 1).missing_bits == 30);
		pdpt[0xd1] = paging_table_entry(formats[i], physical_of(directory), 0);
		check(paging_walk(root, address, 2).entry == &directory[0xb3]);
		check(paging_walk(root, address, 1).missing_bits == 21);
		directory[0xb3] = paging_table_entry(formats[i], physical_of(table), 0);
		check(paging_walk(root, address, 1).entry == &table[0x189]);
		check(paging_walk(root, address | 0xfffful << 48, 1).entry == &table[0x189]);
		check(paging_walk(root, address + 0xfff, 1).entry == &table[0x189]);
	}
}

static void walk_stops_at_page(void) {
	const struct paging_format *const formats[] = {
		&paging_host, &paging_ept, &paging_npt, &nested_format, &dma_format};

	for (unsigned i = 0; i < array_count(formats); i++) {
		uint64_t *root = world_allocate(1);
		uint64_t *pdpt = world_allocate(1);
		uint64_t *directory = world_allocate(1);

		root[0] = paging_table_entry(formats[i], physical_of(pdpt), 0);
		pdpt[0] = page_entry(formats[i], 3, PAGING_READ, 0);
		check(paging_walk(root, 0, 2).missing_bits == 30);
		check(paging_walk(root, 0, 3).entry == &pdpt[0]);
		pdpt[0] = paging_table_entry(formats[i], physical_of(directory), 0);
		directory[0] = page_entry(formats[i], 2, PAGING_NO_ACCESS, 0);
		check(paging_walk(root, 0, 1).missing_bits == 21);
	}
}

// The processor sees no page, and no address of memory; the kernel still finds it.
static void no_access(void) {
	const struct paging_format *const formats[] = {
		&paging_host, &paging_ept, &paging_npt, &nested_format, &dma_format};
	const physical_t page = physical(0x40000000);

	for (unsigned i = 0; i < 2 * array_count(formats); i++) {
		const struct paging_format *format = formats[i / 2];

		for (unsigned level = 1; level <= 3; level++) {
			uint64_t entry = paging_page_entry(format, page, level,
				i % 2 ? PAGING_WRITE : PAGING_NO_ACCESS, 6, false);

			check((entry & 7) == 0);
			check((entry & PAGING_ADDRESS) >> 51 == 1);
			check(!paging_is_free(entry));
			check(level == 1 || !paging_is_table(entry, level));
			check(paging_leads_to(entry, level, page));
			check(!paging_leads_to(entry, level, physical(0x80000000)));
		}
	}
}

static void entry_kinds(void) {
	const struct paging_format *const formats[] = {
		&paging_host, &paging_ept, &paging_npt, &nested_format, &dma_format};

	for (unsigned i = 0; i < array_count(formats); i++) {
		uint64_t table = paging_table_entry(formats[i], physical(0x7000), 0);
		uint64_t large = page_entry(formats[i], 2, PAGING_READ, 4) + 0x40000000;
		uint64_t small = page_entry(formats[i], 1, PAGING_READ, 4) + 0x40000000;

		check(paging_is_free(0));
		check(!paging_is_page(0, 1) && !paging_is_table(0, 4));
		check(paging_is_table(table, 4));
		check(paging_is_table(table, 2));
		check(!paging_is_table(small, 1));
		check(paging_is_page(small, 1));
		check(paging_is_page(large, 2) && paging_is_page(large, 3));
		check(paging_leads_to(large, 2, physical(0x40000000)));
		check(paging_leads_to(small, 1, physical(0x40000000)));
		check(!paging_leads_to(small, 1, physical(0x40001000)));
		check(!paging_leads_to(table, 2, physical(0x7000)));
		check(!paging_leads_to(0, 1, physical(0)));
		check(paging_target(table, 1).value == 0x7000);
		check(paging_target(large, 2).value == 0x40000000);
		check(paging_target(large | 1ul << 63 | 0x60, 2).value == 0x40000000);
	}
}

static const struct test rows[] = {
	{"paging.host.rights", "a host page is user, writable and never NX as its rights say",
		host_rights},
	{"paging.host.memory", "host attributes set PWT, PCD and PAT where each size has it",
		host_attributes},
	{"paging.guest.rights", "an EPT page reads and executes, or gives nothing yet is taken",
		guest_rights},
	{"paging.guest.memory", "an unknown EPT memory type is write-back", guest_memory_types},
	{"paging.nested.rights", "a nested entry is a user's, and has no bit that says otherwise",
		nested_rights},
	{"paging.nested.memory", "a nested page's memory type is the host's PAT's",
		nested_memory_types},
	{"paging.nested.invalidation", "a change of nested tables forgets all translations",
		nested_invalidation},
	{"paging.walk.missing", "a walk returns the highest missing level and ignores high bits",
		walk_missing},
	{"paging.walk.page", "a walk never looks through a large page", walk_stops_at_page},
	{"paging.no-access", "a page without access is not present and names no memory", no_access},
	{"paging.entry.kinds", "entries are distinguished by level and bits", entry_kinds},
};

const struct tests paging_tests = {rows, array_count(rows)};
