// SPDX-License-Identifier: BSD-2-Clause
#include "rows.h"

enum { DMA_READ = 1 << 0, DMA_WRITE = 1 << 1 };

struct invalidations nested_invalidations, dma_invalidations;

#define INVALIDATE(name) \
	static void name##_invalidate(physical_t root, unsigned asid, uint64_t address) { \
		name##_invalidations.spaces += address >= NO_SPACE; \
		name##_invalidations.pages += address < NO_SPACE; \
		name##_invalidations.root = root.value; \
		name##_invalidations.asid = asid; \
		name##_invalidations.address = address; \
	}

INVALIDATE(nested)
INVALIDATE(dma)

// By memory type: uncacheable, write-combining, two that are none, write-through, one that is none,
// write-back, none.
#define NESTED_MEMORY(large, pat) \
	{ \
		(large) | ENTRY_UNCACHED, (large) | (pat), large, large, \
			(large) | ENTRY_WRITE_THROUGH, large, large, large \
	}

const struct paging_format nested_format = {
	.invalidate = nested_invalidate,
	.table = ENTRY_PRESENT | ENTRY_WRITABLE | ENTRY_USER,
	.access = PAGING_ACCESS(ENTRY_PRESENT | ENTRY_USER, ENTRY_WRITABLE),
	.limit = (1ul << 40) - 1,
	.root_entries = PAGING_ENTRIES,
	.largest_page = 3,
	.attributes = UINT64_MAX,
	.device_attributes = 1 << 0 | 1 << 1,
	.memory = {NESTED_MEMORY(0, ENTRY_PAT), NESTED_MEMORY(PAGING_LARGE, ENTRY_LARGE_PAT),
		NESTED_MEMORY(PAGING_LARGE, 0)},
};

#define EIGHT_TIMES(bits) \
	{ bits, bits, bits, bits, bits, bits, bits, bits }

const struct paging_format dma_format = {
	.invalidate = dma_invalidate,
	.table = DMA_READ | DMA_WRITE,
	.access = PAGING_ACCESS(DMA_READ, DMA_WRITE),
	.limit = (1ul << 48) - 1,
	.root_entries = PAGING_ENTRIES,
	.largest_page = 3,
	.memory = {EIGHT_TIMES(0), EIGHT_TIMES(PAGING_LARGE), EIGHT_TIMES(PAGING_LARGE)},
};
