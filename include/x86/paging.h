// SPDX-License-Identifier: BSD-2-Clause
// Bits of an entry of page tables (SDM 3A 4.5.4, tables 4-15 to 4-20).
#pragma once

enum page_entry {
	ENTRY_PRESENT = 1 << 0,
	ENTRY_WRITABLE = 1 << 1,
	ENTRY_USER = 1 << 2,
	ENTRY_WRITE_THROUGH = 1 << 3,
	ENTRY_CACHE_DISABLE = 1 << 4,
	ENTRY_UNCACHED = ENTRY_WRITE_THROUGH | ENTRY_CACHE_DISABLE,
	ENTRY_ACCESSED = 1 << 5,
	ENTRY_DIRTY = 1 << 6,
	ENTRY_PAT = 1 << 7, // in a 4 KiB page
	ENTRY_LARGE = 1 << 7, // in a directory: it is a page, not a table
	ENTRY_GLOBAL = 1 << 8,
	ENTRY_LARGE_PAT = 1 << 12, // in a 2 MiB page
};
#define ENTRY_NO_EXECUTE (1ul << 63)
