// SPDX-License-Identifier: BSD-2-Clause
// Page tables of every format: one walker over rows of entry bits (SDM 3A 4.5, 3C 29.3). Pure: it
// touches the tables it is given and nothing else; who changes a live table calls what the format's
// row has for that.
//
// A table has the level of its entries' spans, and each table is named by an entry one level up:
//
//   level 4  root            entry spans 512 GiB   names a level 3 table
//   level 3  PDPT                        1 GiB     names a level 2 table, or is a 1 GiB page
//   level 2  page directory              2 MiB     names a level 1 table, or is a 2 MiB page
//   level 1  page table                  4 KiB     is a 4 KiB page
#pragma once

#include <abi/rights.h>
#include <cpu/layout.h>
#include <x86/paging.h>

enum {
	PAGING_LEVELS = 4,
	PAGING_INDEX_BITS = 9,
	PAGING_ENTRIES = 1 << PAGING_INDEX_BITS,
	PAGING_ATTRIBUTES = 8,
	PAGING_USER_ENTRIES = 256, // of a host root; the rest is the kernel's
};

// A host mapping may neither start nor end above: the last page below 2^47 stays free (MEM-5).
#define PAGING_USER_LIMIT 0x7ffffffffffful

// IA32_PAT for which the attributes of a host page mean what the ABI says: the reset value, but
// entry 4 (PAT bit alone) is write-combining.
#define PAGING_PAT 0x0007040100070406ul

// Instead of the address of a page: each; each, and the root is loaded no more.
#define EVERY_PAGE UINT64_MAX
#define NO_SPACE (UINT64_MAX - 1)

#define PAGING_ADDRESS 0x000ffffffffff000ul // of an entry of any format

// A free entry is 0. Of one that is not, in all formats: it can be used, as tables always can; and
// where it cannot, that it is in use all the same.
#define PAGING_PRESENT (1ul << 0)
#define PAGING_OCCUPIED (1ul << 52)

// In an entry of level 2 or 3, in all formats: it is a page, not a table.
#define PAGING_LARGE (1ul << 7)

// Numbered as the two low bits of a rights word; write without read gives nothing (OBJ-6).
enum paging_access {
	PAGING_NO_ACCESS = 0, // the entry is taken, but any user or guest access faults
	PAGING_WRITE = RIGHT_WRITE,
	PAGING_READ = RIGHT_READ, // and execute
	PAGING_READ_WRITE = RIGHT_READ | RIGHT_WRITE,
	PAGING_ACCESSES,
};

// By enum paging_access, from the bits that let read and those that let write, too. An entry
// without access is not present at all, for a page that only the kernel may read is open to
// Meltdown; nor does its address name memory whose cache lines could be read through it (L1TF): all
// its bits are the other way round.
#define PAGING_ACCESS(read, write) \
	{ \
		PAGING_OCCUPIED | PAGING_ADDRESS, PAGING_OCCUPIED | PAGING_ADDRESS, (read), \
			(read) | (write) \
	}

// All that differs from one format to the other. A root has an ASID whatever its format.
struct paging_format {
	// No translation of the page at address, or of any (EVERY_PAGE, NO_SPACE), outlives a
	// change of the tables below the root with this ASID.
	void (*invalidate)(physical_t root, unsigned asid, uint64_t address);

	uint64_t table; // what an entry naming a table has
	uint64_t table_memory; // of it: what the attributes may set
	uint64_t access[PAGING_ACCESSES]; // what an entry of a page has, and what it has not

	uint64_t limit; // no address above is mapped; all ones: bits from 48 up are ignored
	uint32_t split; // with one of these mitigations 2 MiB are mapped as 512 pages
	uint16_t root_entries; // that are the space's own; those above are the kernel's
	uint8_t largest_page; // level
	uint8_t late_asid; // levels whose tables take a root without ASID for one that lost it

	// Of the attributes word, what counts; and a bit for each value that memory of a device may
	// have, while another becomes 0.
	uint64_t attributes;
	uint8_t device_attributes;
	// What a page of each size has for its attributes.
	uint16_t memory[PAGING_LEVELS - 1][PAGING_ATTRIBUTES];
};

extern const struct paging_format paging_host;
extern const struct paging_format paging_ept;
extern const struct paging_format paging_npt;

struct paging_walk {
	uint64_t *entry; // null: a table on the way is missing
	unsigned missing_bits; // address bits below the highest missing table's reach: 39, 30, 21
};

// Address bits below one entry of a table of this level.
static inline unsigned paging_shift(unsigned level) { return PAGING_INDEX_BITS * level + 3; }

// Bytes that one entry of a table of this level translates.
static inline uint64_t paging_span(unsigned level) { return 1ul << paging_shift(level); }

// The entry for address in a table of this level.
static inline uint64_t *paging_entry(uint64_t *table, uint64_t address, unsigned level) {
	return &table[address >> paging_shift(level) & (PAGING_ENTRIES - 1)];
}

static inline bool paging_is_free(uint64_t entry) { return entry == 0; }

// True if an entry, standing in a table of this level, names a table. No entry of a root is large.
static inline bool paging_is_table(uint64_t entry, unsigned level) {
	return level != 1 && (entry & (PAGING_PRESENT | PAGING_LARGE)) == PAGING_PRESENT;
}

// Where the entry of a table (as of level 1) or a page of this level leads.
static inline physical_t paging_target(uint64_t entry, unsigned level) {
	return physical(entry & PAGING_ADDRESS & -paging_span(level));
}

static inline bool paging_is_page(uint64_t entry, unsigned level) {
	return level > 1 ? entry & PAGING_LARGE : entry != 0;
}

// True if it is this very page.
static inline bool paging_leads_to(uint64_t entry, unsigned level, physical_t page) {
	uint64_t kind = level > 1 ? PAGING_LARGE : 0;
	uint64_t mask = PAGING_ADDRESS & -paging_span(level);

	// One without access has its address the other way round.
	if (unlikely(!(entry & PAGING_PRESENT))) {
		kind |= PAGING_OCCUPIED;
		entry ^= mask;
	}
	return (entry & (mask | kind)) == (page.value | kind);
}

// Finds the entry for address in the table of the level asked for, from a root of level top on.
// Address bits above are ignored. A page met on the way counts as a missing table.
[[gnu::always_inline]] static inline struct paging_walk paging_walk_from(
	uint64_t *root, unsigned top, uint64_t address, unsigned level) {
	uint64_t *table = root;

	// Unrolled, each level shifts by a constant.
#pragma GCC unroll 4
	for (unsigned here = top; here > 1; here--) {
		uint64_t *entry = paging_entry(table, address, here);

		if (here == level) return (struct paging_walk){.entry = entry};
		if (unlikely(!paging_is_table(*entry, here)))
			return (struct paging_walk){.missing_bits = paging_shift(here)};
		table = physical_pointer(paging_target(*entry, 1));
	}
	return (struct paging_walk){.entry = paging_entry(table, address, 1)};
}

// In tables of a processor; level: 1 to 4.
static inline struct paging_walk paging_walk(uint64_t *root, uint64_t address, unsigned level) {
	return paging_walk_from(root, PAGING_LEVELS, address, level);
}

// The attributes' bits for PWT and PCD stand in the order of the entry (MEM-13).
static inline uint64_t paging_table_entry(
	const struct paging_format *format, physical_t table, uint64_t attributes) {
	return table.value | format->table | (attributes << 3 & format->table_memory);
}

// level: 1, 2 or 3. The attributes are those of the ABI (MEM-13, MEM-14); the last value stands
// for all above it.
static inline uint64_t paging_page_entry(const struct paging_format *format, physical_t page,
	unsigned level, enum paging_access access, uint64_t attributes, bool is_device) {
	uint64_t known = attributes & format->attributes;

	if (known >= PAGING_ATTRIBUTES) known = PAGING_ATTRIBUTES - 1;
	if (unlikely(is_device) && !(format->device_attributes >> known & 1)) known = 0;
	return (page.value ^ format->access[access]) | format->memory[level - 1][known];
}
