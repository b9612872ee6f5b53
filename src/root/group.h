// SPDX-License-Identifier: BSD-2-Clause
// Restart groups. A domain that is restarted after a fault, its child domains and their guests have
// memory of their own, so that all of it can be destroyed and built again. Group 0 is everything
// else; group i + 1 belongs to domain i.
#pragma once

#include <root/system.h>

enum {
	GROUP_NONE = 0,
	GROUP_ALL = 255, // any group
	GROUP_LIMIT = SYSTEM_MAX_DOMAINS + 1,
};

unsigned group_of_domain(const struct system *system, uint32_t domain);

// The domain it is mapped in, or whose guest it is mapped in, and the group of that.
uint32_t domain_of_map(const struct system *system, const struct system_map *map);
unsigned group_of_map(const struct system *system, const struct system_map *map);

// The group whose domains alone can access the region; GROUP_NONE for shared and fixed memory.
unsigned group_of_region(const struct system *system, uint32_t region);

static inline bool group_matches(unsigned wanted, unsigned group) {
	return wanted == GROUP_ALL || wanted == group;
}

// Whether the mapping belongs to a domain that is started.
[[nodiscard]] bool map_is_needed(const struct system *system, const struct system_map *map);
