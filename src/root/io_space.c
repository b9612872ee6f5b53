// SPDX-License-Identifier: BSD-2-Clause
// I/O address spaces. The kernel builds a device's tree from the tables it is given, from the root
// down (DMA-1); BootInfo has the number of levels.
#include <root/io_space.h>

#include <abi/object.h>

#include <root/pages.h>
#include <root/regions.h>

#include <user/print.h>
#include <user/slots.h>
#include <user/untyped.h>

enum {
	BADGE_DOMAIN_SHIFT = 16,
};

// Map one frame, with any missing tables.
static seL4_Error map_page(
	const struct system *system, seL4_CPtr space, seL4_CPtr frame, struct mapping *mapping) {
	seL4_Error error = seL4_X86_Page_MapIO(frame, space, mapping->rights, mapping->address);

	for (seL4_Word i = 0; i <= system->bootinfo->numIOPTLevels && error == seL4_FailedLookup;
		i++) {
		seL4_CPtr table = object_make(OBJECT_IO_PAGE_TABLE, 0);

		if (!table) return seL4_NotEnoughMemory;
		error = seL4_X86_IOPageTable_Map(table, space, mapping->address);
		if (!error)
			error = seL4_X86_Page_MapIO(
				frame, space, mapping->rights, mapping->address);
	}
	return error;
}

// The place in the storage of page `page` of a region: the capability from its creation.
static seL4_Word stored_page(const struct system *system, uint32_t region, seL4_Word page) {
	seL4_Word maps = regions_map_count(system, region);

	return system->region_stored[region] + page * (maps + 1) + maps;
}

static seL4_Error build_map(
	struct system *system, const struct system_io_map *map, seL4_CPtr space) {
	const struct system_region *region = &system->image.regions[map->region];

	for (seL4_Word i = 0; i < region->size >> PAGE_BITS; i++) {
		seL4_CPtr slot = slots_allocate(1);
		struct mapping mapping = {
			.address = map->address + (i << PAGE_BITS),
			.rights = seL4_CapRights_new(
				0, 0, map->access & SYSTEM_READ, map->access & SYSTEM_WRITE),
		};
		seL4_Error error;

		if (!slot) return seL4_NotEnoughMemory;
		error = pages_recall(system, stored_page(system, map->region, i), slot);
		if (!error) error = map_page(system, space, slot, &mapping);
		if (!error) error = pages_retire(system, slot);
		if (error) return error;
	}
	return seL4_NoError;
}

static seL4_Error build_space(struct system *system, uint32_t index) {
	const struct system_io_space *record = &system->image.io_spaces[index];
	seL4_CPtr space = slots_allocate(1);
	seL4_Error error;

	if (!space) return seL4_NotEnoughMemory;
	error = seL4_CNode_Mint(seL4_CapInitThreadCNode, space, seL4_WordBits,
		seL4_CapInitThreadCNode, seL4_CapIOSpace, seL4_WordBits, seL4_AllRights,
		(seL4_Word)record->domain_id << BADGE_DOMAIN_SHIFT | record->device);
	for (uint32_t i = 0; !error && i < image_count(&system->image, SYSTEM_IO_MAPS); i++) {
		if (system->image.io_maps[i].space == index)
			error = build_map(system, &system->image.io_maps[i], space);
	}
	return error;
}

seL4_Error io_spaces_build(struct system *system) {
	const struct image *image = &system->image;
	uint32_t count = image_count(image, SYSTEM_IO_SPACES);
	seL4_Word levels = system->bootinfo->numIOPTLevels;

	if (count == 0) return seL4_NoError;
	if (levels == 0 || levels == ~0ul) {
		print("system: no IOMMU here: '%s' and any other I/O address space is not "
		      "made, the devices reach all memory\n",
			image->io_spaces[0].name);
		return seL4_NoError;
	}
	for (uint32_t i = 0; i < count; i++) {
		seL4_Error error = build_space(system, i);

		if (error)
			return system_report(error, "I/O address space", image->io_spaces[i].name);
	}
	return seL4_NoError;
}
