// SPDX-License-Identifier: BSD-2-Clause
// Whether the memory is enough for the system, and which domains are omitted when it is not.
#include <root/needs.h>

#include <abi/object.h>

#include <root/build.h>
#include <root/group.h>
#include <root/pages.h>
#include <root/extent.h>

#include <user/untyped.h>

enum {
	MIB = 1 << 20,
	// Capabilities and page-table entries that one more page takes.
	BYTES_PER_PAGE = 2 * (1 << SLOT_BITS) + 2 * sizeof(seL4_Word),
};

// Bytes that one mapping adds to the memory needed.
static seL4_Word bytes_of_map(const struct system *system, const struct system_map *map) {
	const struct system_region *region = &system->image.regions[map->region];
	seL4_Word bytes = extent_pages(extent_of(system, map->region)) * BYTES_PER_PAGE;

	return region->paddr == SYSTEM_ANY_ADDRESS ? bytes + region->size : bytes;
}

static seL4_Word bytes_of_domain(const struct system *system, uint32_t domain) {
	seL4_Word bytes = pages_of_domain(system, domain) * ((1ul << PAGE_BITS) + BYTES_PER_PAGE);

	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_MAPS); i++) {
		const struct system_map *map = &system->image.maps[i];

		if (domain_of_map(system, map) == domain) bytes += bytes_of_map(system, map);
	}
	return bytes;
}

static uint32_t largest_domain(const struct system *system) {
	seL4_Word most = 0;
	uint32_t largest = SYSTEM_NONE;

	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_DOMAINS); i++) {
		seL4_Word bytes = bytes_of_domain(system, i);

		if (system->domains[i].omitted || bytes <= most) continue;
		most = bytes;
		largest = i;
	}
	return largest;
}

static uint32_t last_monitor(const struct system *system) {
	for (uint32_t i = image_count(&system->image, SYSTEM_GUESTS); i-- > 0;) {
		uint32_t domain = system->image.guests[i].domain;

		if (!system->domains[domain].omitted) return domain;
	}
	return SYSTEM_NONE;
}

// A domain that would not fit even alone; else a guest, the last one first; else the domain that
// needs most.
static uint32_t choose(const struct system *system) {
	uint32_t largest = largest_domain(system);
	uint32_t monitor = last_monitor(system);

	if (largest == SYSTEM_NONE || bytes_of_domain(system, largest) > untyped_left())
		return largest;
	return monitor != SYSTEM_NONE ? monitor : largest;
}

void needs_fit_memory(struct system *system) {
	for (;;) {
		seL4_Word missing = (build_bytes_missing(system) + MIB - 1) / MIB;
		uint32_t domain = choose(system);

		if (missing == 0 || domain == SYSTEM_NONE) return;
		needs_omit(system, domain, "not enough memory, %lu MiB more needed", missing);
	}
}
