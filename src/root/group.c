// SPDX-License-Identifier: BSD-2-Clause
// Restart groups: which domains are rebuilt together.
#include <root/group.h>

unsigned group_of_domain(const struct system *system, uint32_t domain) {
	const struct system_domain *domains = system->image.domains;

	// Parents precede their children, so this ends.
	while (domains[domain].parent != SYSTEM_NONE)
		domain = domains[domain].parent;
	return domains[domain].flags & SYSTEM_DOMAIN_RESTART ? domain + 1 : GROUP_NONE;
}

uint32_t domain_of_map(const struct system *system, const struct system_map *map) {
	return map->owner_kind == SYSTEM_OWNER_GUEST ? system->image.guests[map->owner].domain
						     : map->owner;
}

unsigned group_of_map(const struct system *system, const struct system_map *map) {
	return group_of_domain(system, domain_of_map(system, map));
}

bool map_is_needed(const struct system *system, const struct system_map *map) {
	return !system->domains[domain_of_map(system, map)].omitted;
}

unsigned group_of_region(const struct system *system, uint32_t region) {
	const struct image *image = &system->image;
	unsigned group = GROUP_ALL;

	if (image->regions[region].paddr != SYSTEM_ANY_ADDRESS) return GROUP_NONE;
	for (uint32_t i = 0; i < image_count(image, SYSTEM_IO_MAPS); i++) {
		if (image->io_maps[i].region == region) return GROUP_NONE;
	}
	for (uint32_t i = 0; i < image_count(image, SYSTEM_MAPS); i++) {
		const struct system_map *map = &image->maps[i];

		if (map->region != region || !map_is_needed(system, map)) continue;
		if (group != GROUP_ALL && group != group_of_map(system, map)) return GROUP_NONE;
		group = group_of_map(system, map);
	}
	return group == GROUP_ALL ? GROUP_NONE : group;
}
