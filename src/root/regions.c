// SPDX-License-Identifier: BSD-2-Clause
// Memory regions: frames are created one after the other, filled, and mapped wherever the records
// say.
#include <root/regions.h>

#include <base/bits.h>

#include <root/group.h>
#include <root/pages.h>
#include <root/extent.h>

#include <user/slots.h>
#include <user/untyped.h>

seL4_Word regions_map_count(const struct system *system, uint32_t region) {
	seL4_Word count = 0;

	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_MAPS); i++) {
		const struct system_map *map = &system->image.maps[i];

		if (map->region == region && map_is_needed(system, map)) count++;
	}
	return count;
}

static bool is_for_device(const struct system *system, uint32_t region) {
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_IO_MAPS); i++) {
		if (system->image.io_maps[i].region == region) return true;
	}
	return false;
}

bool region_is_needed(const struct system *system, uint32_t region) {
	if (system->region_missing[region]) return false;
	return regions_map_count(system, region) > 0 || is_for_device(system, region);
}

static seL4_Word region_pages(const struct system *system, uint32_t region) {
	return extent_pages(extent_of(system, region));
}

struct pages_demand regions_needed(const struct system *system, unsigned group) {
	const struct image *image = &system->image;
	struct pages_demand demand = {0};

	for (uint32_t i = 0; i < image_count(image, SYSTEM_REGIONS); i++) {
		const struct system_region *region = &image->regions[i];

		if (region->paddr != SYSTEM_ANY_ADDRESS || !region_is_needed(system, i) ||
			group_of_region(system, i) != group)
			continue;
		demand.bytes += region->size;
		if (region->page_bits == LARGE_PAGE_BITS) demand.large += region_pages(system, i);
	}
	for (uint32_t i = 0; i < image_count(image, SYSTEM_DOMAINS); i++) {
		if (!system->domains[i].omitted && group_of_domain(system, i) == group)
			demand.bytes += pages_of_domain(system, i) << PAGE_BITS;
	}
	return demand;
}

seL4_Word regions_storage(const struct system *system) {
	const struct image *image = &system->image;
	seL4_Word count = 0;

	for (uint32_t i = 0; i < image_count(image, SYSTEM_REGIONS); i++) {
		if (region_is_needed(system, i))
			count += region_pages(system, i) * (1 + regions_map_count(system, i));
	}
	for (uint32_t i = 0; i < image_count(image, SYSTEM_IO_MAPS); i++) {
		if (region_is_needed(system, image->io_maps[i].region))
			count += region_pages(system, image->io_maps[i].region);
	}
	for (uint32_t i = 0; i < image_count(image, SYSTEM_DOMAINS); i++) {
		if (!system->domains[i].omitted) count += pages_of_domain(system, i);
	}
	return count;
}

static seL4_Word attributes_of(const struct system *system, const struct system_map *map) {
	if (system->image.regions[map->region].paddr == SYSTEM_SCREEN_ADDRESS)
		return seL4_X86_WriteCombining;
	if (map->owner_kind == SYSTEM_OWNER_GUEST)
		return map->access & SYSTEM_UNCACHED ? seL4_X86_EPT_Uncached_VMAttributes
						     : seL4_X86_EPT_WriteBack;
	return map->access & SYSTEM_UNCACHED ? seL4_X86_CacheDisabled : seL4_X86_WriteBack;
}

// Map a frame at its offset in one mapping.
static seL4_Error map_frame(const struct system *system, const struct system_map *map,
	seL4_CPtr frame, seL4_Word offset) {
	const struct space *space = map->owner_kind == SYSTEM_OWNER_GUEST
		? &system->guests[map->owner].space
		: &system->domains[map->owner].space;
	struct mapping mapping = {
		.frame = frame,
		.address = map->address + offset,
		.rights = page_rights(map->access),
		.attributes = attributes_of(system, map),
	};

	return page_map(space, &mapping, extent_of(system, map->region).bits);
}

// Map a copy of the frame's capability, and store the copy.
static seL4_Error map_shared(
	struct system *system, const struct system_map *map, seL4_CPtr frame, seL4_Word offset) {
	seL4_CPtr copy = slots_allocate(1);
	seL4_Error error;

	if (!copy) return seL4_NotEnoughMemory;
	error = seL4_CNode_Copy(seL4_CapInitThreadCNode, copy, seL4_WordBits,
		seL4_CapInitThreadCNode, frame, seL4_WordBits, seL4_AllRights);
	if (!error) error = map_frame(system, map, copy, offset);
	return error ? error : pages_retire(system, copy);
}

static seL4_Error build_page(
	struct system *system, uint32_t index, const struct page *page, seL4_Word offset) {
	seL4_CPtr frame;
	seL4_Error error = page_make(page, &frame);

	for (uint32_t i = 0; !error && i < image_count(&system->image, SYSTEM_MAPS); i++) {
		const struct system_map *map = &system->image.maps[i];

		if (map->region == index && map_is_needed(system, map))
			error = map_shared(system, map, frame, offset);
	}
	return error ? error : pages_retire(system, frame);
}

// The region's initial content; no bytes when the kernel does not provide it.
static seL4_Word chunk_find(const struct system *system, uint32_t id, const uint8_t **data) {
	const seL4_BootInfoHeader *chunk, *next;

	if (id == BOOTINFO_START) {
		*data = (const uint8_t *)&system->start;
		return sizeof(system->start);
	}
	if (id == BOOTINFO_SCREEN && !system->screen.size) return 0;
	chunk = bootinfo_find(system->bootinfo, id);
	*data = (const uint8_t *)chunk;
	if (!chunk) return 0;
	// The TSC's exact rate follows directly after the rate in megahertz (abi-extensions.md 5).
	next = bootinfo_find(system->bootinfo, BOOTINFO_TSC_RATE);
	if (id == BOOTINFO_TSC_FREQUENCY && next == (const void *)(*data + chunk->len))
		return chunk->len + next->len;
	return chunk->len;
}

static seL4_Error build_region(struct system *system, uint32_t index) {
	const struct system_region *region = &system->image.regions[index];
	const uint8_t *data = system->image.bytes + region->data_offset;
	seL4_Word data_size = region->data_size;
	struct extent extent = extent_of(system, index);

	if (region->bootinfo_chunk) data_size = chunk_find(system, region->bootinfo_chunk, &data);
	system->region_stored[index] = system->storage_used;
	for (seL4_Word i = 0; i < extent_pages(extent); i++) {
		struct page page = page_of(data, data_size, extent.bits, i);
		seL4_Word offset = i << extent.bits;
		seL4_Error error;

		if (extent.paddr != SYSTEM_ANY_ADDRESS) page.paddr = extent.paddr + offset;
		error = build_page(system, index, &page, offset);
		if (error) return error;
	}
	return seL4_NoError;
}

seL4_Error regions_build(struct system *system, unsigned group) {
	seL4_Error error = seL4_NoError;

	untyped_select(group);
	for (uint32_t i = 0; !error && i < image_count(&system->image, SYSTEM_REGIONS); i++) {
		if (!region_is_needed(system, i) || group_of_region(system, i) != group) continue;
		error = build_region(system, i);
		if (error) system_report(error, "memory region", system->image.regions[i].name);
	}
	untyped_select(GROUP_NONE);
	return error;
}

// The stored capability still names the frame but is mapped in a space that was destroyed: take it
// out, map it in the new space, and put it back.
static seL4_Error map_again(const struct system *system, const struct system_map *map,
	seL4_Word stored, seL4_Word page) {
	seL4_CPtr slot = slots_allocate(1);
	seL4_Error error;

	if (!slot) return seL4_NotEnoughMemory;
	error = seL4_CNode_Move(seL4_CapInitThreadCNode, slot, seL4_WordBits, system->storage,
		stored, (seL4_Uint8)system->storage_bits);
	if (!error) error = seL4_X86_Page_Unmap(slot);
	if (!error)
		error = map_frame(system, map, slot, page << extent_of(system, map->region).bits);
	if (!error)
		error = seL4_CNode_Move(system->storage, stored, (seL4_Uint8)system->storage_bits,
			seL4_CapInitThreadCNode, slot, seL4_WordBits);
	slots_delete(slot, 1);
	return error;
}

static seL4_Error map_region_again(struct system *system, uint32_t index, unsigned group) {
	seL4_Word stride = regions_map_count(system, index) + 1;
	seL4_Word stored = system->region_stored[index];

	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_MAPS); i++) {
		const struct system_map *map = &system->image.maps[i];

		if (map->region != index || !map_is_needed(system, map)) continue;
		if (group_of_map(system, map) == group) {
			for (seL4_Word j = 0; j < region_pages(system, index); j++) {
				seL4_Error error = map_again(system, map, stored + j * stride, j);

				if (error) return error;
			}
		}
		stored++;
	}
	return seL4_NoError;
}

seL4_Error regions_map_again(struct system *system, unsigned group) {
	seL4_Error error = seL4_NoError;

	untyped_select(group);
	for (uint32_t i = 0; !error && i < image_count(&system->image, SYSTEM_REGIONS); i++) {
		if (!region_is_needed(system, i) || group_of_region(system, i) != GROUP_NONE)
			continue;
		error = map_region_again(system, i, group);
		if (error) system_report(error, "memory region", system->image.regions[i].name);
	}
	untyped_select(GROUP_NONE);
	return error;
}
