// SPDX-License-Identifier: BSD-2-Clause
// Page tables of every format: one walker over rows of entry bits.
#include <cpu/paging.h>

// Attributes word of a host mapping (MEM-13): PWT, PCD, PAT. The first two stand in the
// order of the entry.
enum { ATTRIBUTE_MEMORY_SHIFT = 3 };

// SDM 3C 29.3.2, tables 29-1 to 29-7.
enum guest_entry {
	GUEST_READ = 1 << 0,
	GUEST_WRITE = 1 << 1,
	GUEST_EXECUTE = 1 << 2,
	GUEST_MEMORY_TYPE_SHIFT = 3,
};

// Not present at all, for a page that only the kernel may read is open to Meltdown; nor does its
// address name memory whose cache lines could be read through it (L1TF): all bits are the other way
// round.
#define NO_ACCESS (PAGING_OCCUPIED | PAGING_ADDRESS)

#define GUEST_ALL (PAGING_OCCUPIED | GUEST_READ | GUEST_WRITE | GUEST_EXECUTE)

enum guest_memory_type {
	MEMORY_UNCACHEABLE = 0,
	MEMORY_WRITE_COMBINING = 1,
	MEMORY_WRITE_THROUGH = 4,
	MEMORY_WRITE_BACK = 6,
};

// Rows by attributes for pages of one size.
#define HOST_CACHING(bits) \
	(bits), (bits) | HOST_WRITE_THROUGH, (bits) | HOST_CACHE_DISABLE, (bits) | HOST_UNCACHED
#define HOST_MEMORY(large, pat) \
	{ HOST_CACHING(large), HOST_CACHING((large) | (pat)) }
#define GUEST_TYPE(large, type) (large | MEMORY_##type << GUEST_MEMORY_TYPE_SHIFT)
#define GUEST_MEMORY(large) \
	{ \
		GUEST_TYPE(large, UNCACHEABLE), GUEST_TYPE(large, WRITE_COMBINING), \
			GUEST_TYPE(large, WRITE_BACK), GUEST_TYPE(large, WRITE_BACK), \
			GUEST_TYPE(large, WRITE_THROUGH), GUEST_TYPE(large, WRITE_BACK), \
			GUEST_TYPE(large, WRITE_BACK), GUEST_TYPE(large, WRITE_BACK) \
	}

const struct paging_format paging_host = {
	.table = PAGING_OCCUPIED | HOST_PRESENT | HOST_WRITABLE | HOST_USER,
	.table_memory = HOST_UNCACHED,
	.access[PAGING_NO_ACCESS] = NO_ACCESS,
	.access[PAGING_WRITE] = NO_ACCESS,
	.access[PAGING_READ] = PAGING_OCCUPIED | HOST_PRESENT | HOST_USER,
	.access[PAGING_READ_WRITE] = PAGING_OCCUPIED | HOST_PRESENT | HOST_USER | HOST_WRITABLE,
	// 1 GiB pages ignore the PAT bit (MEM-13).
	.memory = {HOST_MEMORY(0, HOST_PAT), HOST_MEMORY(PAGING_LARGE, HOST_LARGE_PAT),
		HOST_MEMORY(PAGING_LARGE, 0)},
};

const struct paging_format paging_guest = {
	.table = GUEST_ALL,
	.access[PAGING_NO_ACCESS] = NO_ACCESS,
	.access[PAGING_WRITE] = NO_ACCESS,
	.access[PAGING_READ] = PAGING_OCCUPIED | GUEST_READ | GUEST_EXECUTE,
	.access[PAGING_READ_WRITE] = GUEST_ALL,
	.memory = {GUEST_MEMORY(0), GUEST_MEMORY(PAGING_LARGE), GUEST_MEMORY(PAGING_LARGE)},
};

uint64_t paging_table_entry(
	const struct paging_format *format, physical_t table, uint64_t attributes) {
	uint64_t memory = attributes << ATTRIBUTE_MEMORY_SHIFT & format->table_memory;

	return table.value | format->table | memory;
}
