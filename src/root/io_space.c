// SPDX-License-Identifier: BSD-2-Clause
// I/O address spaces. The kernel builds a device's tree from the tables it is given, from the root
// down (DMA-1); BootInfo has the number of levels.
#include <root/io_space.h>

#include <abi/object.h>

#include <lib/pci/scan.h>

#include <root/devices.h>
#include <root/group.h>
#include <root/pages.h>
#include <root/regions.h>

#include <user/print.h>
#include <user/slots.h>
#include <user/untyped.h>

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

// A page of a former life: the capability may still be mapped in a space that is gone.
static seL4_Error forget_page(const struct system *system) {
	return seL4_CNode_Delete(
		system->storage, system->storage_used, (seL4_Uint8)system->storage_bits);
}

static seL4_Error build_pages(
	struct system *system, const struct system_io_map *map, const struct device *device) {
	const struct system_region *region = &system->image.regions[map->region];
	seL4_Error error = seL4_NoError;

	for (seL4_Word i = 0; !error && i < region->size >> region->page_bits; i++) {
		seL4_CPtr slot = slots_allocate(1);
		struct mapping mapping = {
			.address = map->address + (i << region->page_bits),
			.rights = seL4_CapRights_new(
				0, 0, map->access & SYSTEM_READ, map->access & SYSTEM_WRITE),
		};

		if (!slot) return seL4_NotEnoughMemory;
		if (device->is_built) error = forget_page(system);
		if (!error) error = pages_recall(system, stored_page(system, map->region, i), slot);
		if (!error) error = map_page(system, device->space, slot, &mapping);
		if (!error) error = pages_retire(system, slot);
	}
	return error;
}

// The mapping's pages have the same place in the storage each time.
static seL4_Error build_map(struct system *system, uint32_t index, const struct device *device) {
	seL4_Word stored = system->storage_used;
	seL4_Error error;

	if (device->is_built)
		system->storage_used = system->io_stored[index];
	else
		system->io_stored[index] = stored;
	error = build_pages(system, &system->image.io_maps[index], device);
	if (device->is_built) system->storage_used = stored;
	return error;
}

static seL4_Error build_space(struct system *system, uint32_t index) {
	const struct system_io_space *record = &system->image.io_spaces[index];
	struct device *device = &system->devices[index];
	seL4_Word reach = 0;
	seL4_Error error;

	if (!device->space) device->space = slots_allocate(1);
	if (!device->space) return seL4_NotEnoughMemory;
	error = seL4_CNode_Mint(seL4_CapInitThreadCNode, device->space, seL4_WordBits,
		seL4_CapInitThreadCNode, seL4_CapIOSpace, seL4_WordBits, seL4_AllRights,
		(seL4_Word)record->domain_id << IO_SPACE_DOMAIN_SHIFT | device->requester);
	for (uint32_t i = 0; !error && i < image_count(&system->image, SYSTEM_IO_MAPS); i++) {
		const struct system_io_map *map = &system->image.io_maps[i];

		if (map->space != index || !region_is_needed(system, map->region)) continue;
		error = build_map(system, i, device);
		reach += system->image.regions[map->region].size;
	}
	if (!error && !device->is_built)
		print("system: " PCI_FORMAT ", device of '%s', reaches %lu KiB of memory\n",
			PCI_WORDS(device->function), record->name, reach >> 10);
	device->is_built = true;
	return error;
}

// One line, without an IOMMU.
static void report_unconfined(const struct system *system) {
	const char *between = "system: no IOMMU here, so these devices reach all memory:";

	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_IO_SPACES); i++) {
		if (!system->devices[i].found) continue;
		print("%s '%s'", between, system->image.io_spaces[i].name);
		between = ",";
	}
	if (*between == ',') print("\n");
}

seL4_Word io_spaces_bytes(const struct system *system, unsigned group) {
	const struct image *image = &system->image;
	seL4_Word tables = 0;

	if (!devices_are_confined(system)) return 0;
	for (uint32_t i = 0; i < image_count(image, SYSTEM_IO_MAPS); i++) {
		const struct system_io_map *map = &image->io_maps[i];

		if (group_of_device(system, map->space) == group)
			tables += (image->regions[map->region].size >> LARGE_PAGE_BITS) + 1 +
				system->bootinfo->numIOPTLevels;
	}
	return tables << PAGE_BITS;
}

seL4_Error io_spaces_build(struct system *system, unsigned group) {
	const struct image *image = &system->image;

	if (!devices_are_confined(system)) {
		if (group == GROUP_ALL) report_unconfined(system);
		return seL4_NoError;
	}
	if (group == GROUP_ALL && devices_pass_a_unit(system))
		print("system: a unit of the IOMMU does not work: devices behind it reach all "
		      "memory\n");
	for (uint32_t i = 0; i < image_count(image, SYSTEM_IO_SPACES); i++) {
		unsigned own = group_of_device(system, i);
		seL4_Error error;

		if (!system->devices[i].found || !group_matches(group, own)) continue;
		untyped_select(own);
		error = build_space(system, i);
		untyped_select(GROUP_NONE);
		if (error)
			return system_report(error, "I/O address space", image->io_spaces[i].name);
	}
	return seL4_NoError;
}

void io_space_cut(struct system *system, uint32_t index) {
	// With the last capability the IOMMU's entry of the device goes.
	if (system->devices[index].space)
		(void)seL4_CNode_Delete(
			seL4_CapInitThreadCNode, system->devices[index].space, seL4_WordBits);
}
