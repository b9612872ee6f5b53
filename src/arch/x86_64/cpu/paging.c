// SPDX-License-Identifier: BSD-2-Clause
// The row of the host's page tables.
#include <cpu/paging.h>

#include <cpu/pcid.h>

// Rows by attributes for pages of one size.
#define CACHING(bits) \
	(bits), (bits) | ENTRY_WRITE_THROUGH, (bits) | ENTRY_CACHE_DISABLE, (bits) | ENTRY_UNCACHED
#define MEMORY(large, pat) \
	{ CACHING(large), CACHING((large) | (pat)) }

const struct paging_format paging_host = {
	.invalidate = pcid_invalidate,
	.table = ENTRY_PRESENT | ENTRY_WRITABLE | ENTRY_USER,
	.table_memory = ENTRY_UNCACHED,
	.access = PAGING_ACCESS(ENTRY_PRESENT | ENTRY_USER, ENTRY_WRITABLE),
	.limit = PAGING_USER_LIMIT,
	.root_entries = PAGING_USER_ENTRIES,
	.largest_page = 3,
	.attributes = PAGING_ATTRIBUTES - 1,
	.device_attributes = UINT8_MAX,
	// 1 GiB pages ignore the PAT bit (MEM-13).
	.memory = {MEMORY(0, ENTRY_PAT), MEMORY(PAGING_LARGE, ENTRY_LARGE_PAT),
		MEMORY(PAGING_LARGE, 0)},
};
