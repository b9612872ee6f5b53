// SPDX-License-Identifier: BSD-2-Clause
// What tables and frames share: from a root capability to an entry of its tables, and back from
// the place a capability records to the entry that is there now.
#pragma once

#include <cpu/paging.h>
#include <cap/invocation.h>
#include <memory/space.h>

struct mapping {
	uint64_t root; // word of its capabilities
	unsigned asid;
	uint64_t *entry; // null: the space, or a table on the way, is gone
};

// What a root says whose ASID is named by another (its word), or names nothing (0): FailedLookup or
// InvalidCapability 1.
[[gnu::cold]] enum error mapping_root_error(struct invocation *invocation, uint64_t named);

// The entry for address in the table of this level, after the last checks of every Map: the ASID
// of extra capability 0, a root, still names it, the address is a multiple of what an entry of this
// level spans (AlignmentError), and the tables on the way are there (FailedLookup). Else null, and
// *error.
[[gnu::always_inline]] static inline uint64_t *mapping_find(
	struct invocation *invocation, uint64_t address, unsigned level, enum error *error) {
	const struct cap *root = &invocation->caps[0]->cap;
	uint64_t named = space_word_of_asid(root->map.asid);
	struct paging_walk walk = {};

	if (unlikely(named != root->word))
		*error = mapping_root_error(invocation, named);
	else if (unlikely(!is_aligned(address, paging_span(level))))
		*error = ERROR_ALIGNMENT;
	else {
		walk = paging_walk(space_named(named), address, level);
		// It finds the one or the other.
		if (!walk.entry && !walk.missing_bits) __builtin_unreachable();
	}
	if (walk.missing_bits) *error = error_missing(invocation, LOOKUP_TARGET, walk.missing_bits);
	return walk.entry;
}

// The entry at the place that cap, a mapped table or frame, records.
static inline struct mapping mapping_of(const struct cap *cap, unsigned level) {
	const struct cap root = {.word = space_word_of_asid(cap->map.asid)};
	uint64_t address = cap_address(cap);

	if (unlikely(root.map.format != cap->map.format)) return (struct mapping){};
	return (struct mapping){root.word, cap->map.asid,
		paging_walk(space_named(root.word), address, level).entry};
}

// What a capability that is mapped at address below root records; level: of a table.
static inline uint64_t mapping_place(const struct cap *root, uint64_t address, unsigned level) {
	struct cap place = {.map = {.level = level & 3u, .mapped = 1}};

	place.word |= (root->word & ~CAP_ADDRESS) | (address & CAP_ADDRESS);
	return place.word;
}
