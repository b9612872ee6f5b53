// SPDX-License-Identifier: BSD-2-Clause
// Page tables of every format: one walker over rows of entry bits.
#include <cpu/paging.h>

#include <base/compiler.h>

// Attributes word of a host mapping (invocations.md 6).
enum host_attribute {
	ATTRIBUTE_MEMORY = 3, // PWT and PCD, in the order of the entry
	ATTRIBUTE_PAT = 1 << 2,
	ATTRIBUTE_MEMORY_SHIFT = 3,
};

// SDM 3C 29.3.2, tables 29-1 to 29-7.
enum guest_entry {
	GUEST_READ = 1 << 0,
	GUEST_WRITE = 1 << 1,
	GUEST_EXECUTE = 1 << 2,
	GUEST_MEMORY_TYPE_SHIFT = 3,
	GUEST_LARGE = 1 << 7,
};

// Ignored by the processor. A page without any access has no other bit that is surely set.
#define GUEST_OCCUPIED (1ul << 52)

#define GUEST_ALL (GUEST_OCCUPIED | GUEST_READ | GUEST_WRITE | GUEST_EXECUTE)

enum guest_memory_type {
	MEMORY_UNCACHEABLE = 0,
	MEMORY_WRITE_COMBINING = 1,
	MEMORY_WRITE_THROUGH = 4,
	MEMORY_WRITE_BACK = 6,
};

static uint64_t host_page_memory(uint64_t attributes, unsigned level) {
	// 1 GiB pages ignore the PAT bit (semantics.md J7).
	static const uint64_t pat[PAGING_LEVELS] = {[1] = HOST_PAT, [2] = HOST_LARGE_PAT};
	uint64_t memory = (attributes & ATTRIBUTE_MEMORY) << ATTRIBUTE_MEMORY_SHIFT;

	return attributes & ATTRIBUTE_PAT ? memory | pat[level] : memory;
}

static uint64_t guest_page_memory(uint64_t attributes, unsigned) {
	bool is_other = attributes == MEMORY_UNCACHEABLE || attributes == MEMORY_WRITE_COMBINING ||
		attributes == MEMORY_WRITE_THROUGH;

	return (is_other ? attributes : MEMORY_WRITE_BACK) << GUEST_MEMORY_TYPE_SHIFT;
}

const struct paging_format paging_host = {
	.occupied = HOST_PRESENT,
	.large = HOST_LARGE,
	.table = HOST_PRESENT | HOST_WRITABLE | HOST_USER,
	.table_memory = HOST_WRITE_THROUGH | HOST_CACHE_DISABLE,
	.access[PAGING_NO_ACCESS] = HOST_PRESENT, // supervisor only
	.access[PAGING_WRITE] = HOST_PRESENT,
	.access[PAGING_READ] = HOST_PRESENT | HOST_USER,
	.access[PAGING_READ_WRITE] = HOST_PRESENT | HOST_USER | HOST_WRITABLE,
	.page_memory = host_page_memory,
};

const struct paging_format paging_guest = {
	.occupied = GUEST_OCCUPIED,
	.large = GUEST_LARGE,
	.table = GUEST_ALL,
	.access[PAGING_NO_ACCESS] = GUEST_OCCUPIED,
	.access[PAGING_WRITE] = GUEST_OCCUPIED,
	.access[PAGING_READ] = GUEST_OCCUPIED | GUEST_READ | GUEST_EXECUTE,
	.access[PAGING_READ_WRITE] = GUEST_ALL,
	.page_memory = guest_page_memory,
};

struct paging_walk paging_walk(
	const struct paging_format *format, uint64_t *root, uint64_t address, unsigned level) {
	const uint64_t occupied = format->occupied;
	const uint64_t kind = occupied | format->large;
	uint64_t *table = root;

	// Unrolled, each level shifts by a constant.
#pragma GCC unroll 4
	for (unsigned here = PAGING_LEVELS; here > 1; here--) {
		uint64_t *entry = paging_entry(table, address, here);

		if (here == level) return (struct paging_walk){.entry = entry};
		if (unlikely((*entry ^ occupied) & kind))
			return (struct paging_walk){.missing_bits = paging_shift(here)};
		table = physical_pointer(paging_target(*entry, 1));
	}
	return (struct paging_walk){.entry = paging_entry(table, address, 1)};
}

uint64_t paging_table_entry(
	const struct paging_format *format, physical_t table, uint64_t attributes) {
	uint64_t memory = attributes << ATTRIBUTE_MEMORY_SHIFT & format->table_memory;

	return table.value | format->table | memory;
}

uint64_t paging_page_entry(const struct paging_format *format, physical_t page, unsigned level,
	enum paging_access access, uint64_t attributes) {
	uint64_t entry = page.value | format->access[access];

	if (level > 1) entry |= format->large;
	return entry | format->page_memory(attributes, level);
}
