// SPDX-License-Identifier: BSD-2-Clause
// What tables and frames share: from a root capability to an entry of its tables, and back from
// the place a capability records to the entry that is there now.
#pragma once

#include <cpu/paging.h>
#include <kernel/invocation.h>
#include <kernel/space.h>

// A host mapping may neither start nor end above: the last page below 2^47 stays free (J10).
#define MAPPING_USER_LIMIT 0x7ffffffffffful

struct mapping {
	uint64_t *root;
	uint64_t *entry; // null: the space, or a table on the way, is gone
};

static inline const struct paging_format *mapping_format(const struct cap *cap) {
	return cap->map.format == SPACE_GUEST ? &paging_guest : &paging_host;
}

// The last checks of every Map, below extra capability 0, a root: its ASID still names it
// (FailedLookup or InvalidCapability 1), the address is a multiple of what an entry of this level
// spans (AlignmentError), and the tables on the way to the entry are there (FailedLookup).
enum error mapping_find(
	struct invocation *invocation, uint64_t address, unsigned level, uint64_t **entry);

// The entry at the place that cap, a mapped table or frame, records.
struct mapping mapping_of(const struct cap *cap, unsigned level);

// What a capability that is mapped at address below root records; level: of a table.
static inline uint64_t mapping_place(const struct cap *root, uint64_t address, unsigned level) {
	struct cap place = {.map = {.level = level & 3u, .mapped = 1}};

	place.word |= (root->word & ~CAP_ADDRESS) | (address & CAP_ADDRESS);
	return place.word;
}

// The entry at the place that cap records below root changed: no old translation of the frame's
// page, or of anything below the table, survives.
void mapping_flush(const struct cap *cap, const void *root);
