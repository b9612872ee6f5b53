// SPDX-License-Identifier: BSD-2-Clause
// Formats of page tables that this kernel does not use yet. Each is a row and nothing else.
#pragma once

#include <cpu/paging.h>

// AMD's nested tables: those of a host, walked with a user's rights (APM 2 15.25.5). For addresses
// of 40 bits.
extern const struct paging_format nested_format;

// Second-level tables of VT-d (VT-d 9.8), with pages of every size.
extern const struct paging_format dma_format;

// What was asked of the rows.
struct invalidations {
	unsigned pages, spaces;
	uint64_t root, address; // of the last
	unsigned asid;
};

extern struct invalidations nested_invalidations, dma_invalidations;
