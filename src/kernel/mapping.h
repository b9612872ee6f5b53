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
	const struct paging_format *paging;
	uint64_t *entry; // null: the space, or a table on the way, is gone
	unsigned missing_bits;
};

// Checks that the ASID of extra capability 0, a root, still names it: FailedLookup or
// InvalidCapability 1.
enum error mapping_check_root(struct invocation *invocation);

// Finds the entry for address in the table of this level below root; FailedLookup if a table on
// the way is missing.
enum error mapping_find(
	struct invocation *invocation, uint64_t address, unsigned level, struct mapping *mapping);

// The entry for address in the table of this level below a root.
struct mapping mapping_under(const struct cap *root, uint64_t address, unsigned level);

// The same at the place that cap, a table or a frame, records.
struct mapping mapping_of(const struct cap *cap, unsigned level);

// Address below root is the place of cap now.
void mapping_record(struct cap *cap, const struct cap *root, uint64_t address);

static inline uint64_t mapping_address(const struct cap *cap) {
	return (uint64_t)cap->map.page << PAGE_BITS;
}

// The entry at the place that cap records changed: no old translation of the frame's page, or of
// anything below the table, survives.
void mapping_flush(const struct cap *cap);
