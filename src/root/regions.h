// SPDX-License-Identifier: BSD-2-Clause
// Memory regions: their frames, and their mappings in domains and guests.
#pragma once

#include <root/system.h>

// What a group needs for pages; domains that are omitted do not count.
struct pages_demand {
	seL4_Word bytes; // of RAM
	seL4_Word large; // frames of 2 MiB among them
};

struct pages_demand regions_needed(const struct system *system, unsigned group);

// Capabilities the storage must hold for all pages of the system.
seL4_Word regions_storage(const struct system *system);

// Mappings of a region in domains that are started. Its pages are in the storage one after the
// other, each with a capability for each of these and then the one it was made with.
seL4_Word regions_map_count(const struct system *system, uint32_t region);

// Whether a domain that is started or a device uses the region.
[[nodiscard]] bool region_is_needed(const struct system *system, uint32_t region);

// The regions of one group, with all their mappings.
[[nodiscard]] seL4_Error regions_build(struct system *system, unsigned group);

// Map shared regions again into the domains and guests of a rebuilt group.
[[nodiscard]] seL4_Error regions_map_again(struct system *system, unsigned group);
