// SPDX-License-Identifier: BSD-2-Clause
// The row of nested page tables: the host's format, in which every access of a guest is a user's
// (APM 2 15.25.5). Memory types are chosen by the host's PAT.
#include <cpu/paging.h>
#include <guest/svm/guest.h>

// By attributes, which are VT-x's memory types, for pages of one size: write-back for what is none.
#define MEMORY(large, pat) \
	{ \
		(large) | ENTRY_UNCACHED, (large) | (pat), (large), (large), \
			(large) | ENTRY_WRITE_THROUGH, (large), (large), (large) \
	}

static void invalidate(physical_t, unsigned, uint64_t) { svm_invalidate(); }

const struct paging_format paging_npt = {
	.invalidate = invalidate,
	.table = ENTRY_PRESENT | ENTRY_WRITABLE | ENTRY_USER,
	.access = PAGING_ACCESS(ENTRY_PRESENT | ENTRY_USER, ENTRY_WRITABLE),
	.limit = UINT64_MAX,
	.root_entries = PAGING_ENTRIES,
	.largest_page = 2,
	// MEM-22
	.late_asid = BIT(2) | BIT(3),
	.attributes = UINT64_MAX,
	.device_attributes = BIT(0) | BIT(1), // uncacheable, write-combining
	.memory = {MEMORY(0, ENTRY_PAT), MEMORY(PAGING_LARGE, ENTRY_LARGE_PAT),
		MEMORY(PAGING_LARGE, ENTRY_LARGE_PAT)},
};
