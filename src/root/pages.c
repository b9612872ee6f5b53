// SPDX-License-Identifier: BSD-2-Clause
// Pages of the system, one frame at a time: made in one slot, filled through a window, mapped, and
// its capabilities moved to the storage CNode, so that the root CNode does not limit the memory.
#include <root/pages.h>

#include <base/bits.h>
#include <base/memory.h>

#include <user/slots.h>
#include <user/untyped.h>

#define WINDOW_ADDRESS 0x200000000000ul
#define STACK_TOP 0x7fffffffd000ul
#define IPC_BUFFER_ADDRESS 0x7fffffffe000ul

// One page of a run: what it holds and where it comes from.
struct page {
	seL4_Word bits;
	seL4_Word paddr; // or SYSTEM_ANY_ADDRESS
	const uint8_t *data;
	seL4_Word data_size;
};

static bool map_is_needed(const struct system *system, const struct system_map *map) {
	uint32_t domain = map->owner;

	if (map->owner_kind == SYSTEM_OWNER_GUEST) domain = system->image.guests[map->owner].domain;
	return !system->domains[domain].omitted;
}

static seL4_Word count_maps(const struct system *system, uint32_t region) {
	seL4_Word count = 0;

	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_MAPS); i++) {
		const struct system_map *map = &system->image.maps[i];

		if (map->region == region && map_is_needed(system, map)) count++;
	}
	return count;
}

static seL4_Word segment_pages(const struct system_segment *segment) {
	return align_up(segment->memory_size, 1ul << PAGE_BITS) >> PAGE_BITS;
}

struct pages_demand pages_needed(const struct system *system) {
	const struct image *image = &system->image;
	struct pages_demand demand = {0};

	for (uint32_t i = 0; i < image_count(image, SYSTEM_REGIONS); i++) {
		const struct system_region *region = &image->regions[i];

		if (region->paddr != SYSTEM_ANY_ADDRESS || count_maps(system, i) == 0) continue;
		demand.bytes += region->size;
		if (region->page_bits == LARGE_PAGE_BITS)
			demand.large += region->size >> LARGE_PAGE_BITS;
	}
	for (uint32_t i = 0; i < image_count(image, SYSTEM_SEGMENTS); i++) {
		if (!system->domains[image->segments[i].domain].omitted)
			demand.bytes += segment_pages(&image->segments[i]) << PAGE_BITS;
	}
	for (uint32_t i = 0; i < image_count(image, SYSTEM_DOMAINS); i++) {
		if (!system->domains[i].omitted) demand.bytes += image->domains[i].stack_size;
	}
	return demand;
}

seL4_Error pages_init(struct system *system) {
	const struct image *image = &system->image;
	seL4_Word count = 0;

	for (uint32_t i = 0; i < image_count(image, SYSTEM_REGIONS); i++)
		count += (image->regions[i].size >> image->regions[i].page_bits) *
			(1 + count_maps(system, i));
	for (uint32_t i = 0; i < image_count(image, SYSTEM_SEGMENTS); i++)
		count += segment_pages(&image->segments[i]);
	for (uint32_t i = 0; i < image_count(image, SYSTEM_DOMAINS); i++)
		count += image->domains[i].stack_size >> PAGE_BITS;
	system->storage_bits = bits_highest(count | 1) + 1;
	system->storage_used = 0;
	system->storage = object_make(OBJECT_CNODE, system->storage_bits);
	return system->storage ? seL4_NoError : seL4_NotEnoughMemory;
}

// Move a capability to the storage and free its slot.
static seL4_Error retire(struct system *system, seL4_CPtr slot) {
	seL4_Error error = seL4_CNode_Move(system->storage, system->storage_used,
		(seL4_Uint8)system->storage_bits, seL4_CapInitThreadCNode, slot, seL4_WordBits);

	if (!error) {
		system->storage_used++;
		slots_release(slot, 1);
	}
	return error;
}

static seL4_Error map_page(
	const struct space *space, const struct mapping *mapping, seL4_Word bits) {
	seL4_Error error = space_prepare(space, mapping->address, bits);

	return error ? error : space_map(space, mapping);
}

// Copy data into a fresh frame. Each page size has its own window: a large frame cannot be mapped
// where a page table stands.
static seL4_Error fill(seL4_CPtr frame, const struct page *page) {
	struct space own = space_own();
	seL4_Word address = WINDOW_ADDRESS + (page->bits == PAGE_BITS ? 0 : 1ul << HUGE_PAGE_BITS);
	struct mapping mapping = {
		.frame = frame,
		.address = address,
		.rights = seL4_ReadWrite,
	};
	seL4_Error error = map_page(&own, &mapping, page->bits);

	if (error) return error;
	memcpy((void *)address, page->data, page->data_size);
	return seL4_X86_Page_Unmap(frame);
}

static seL4_Error page_make(const struct page *page, seL4_CPtr *frame) {
	seL4_Word type = page->bits == PAGE_BITS ? OBJECT_PAGE : OBJECT_LARGE_PAGE;
	seL4_CPtr slot = slots_allocate(1);
	seL4_Error error;

	if (!slot) return seL4_NotEnoughMemory;
	if (page->paddr == SYSTEM_ANY_ADDRESS)
		error = untyped_make(type, 0, slot);
	else
		error = untyped_make_at(type, 0, page->paddr, slot);
	if (!error && page->data_size > 0) error = fill(slot, page);
	*frame = slot;
	return error;
}

static seL4_CapRights_t rights_of(uint32_t access) {
	return seL4_CapRights_new(0, 0, 1, access & SYSTEM_WRITE);
}

// A private page of a domain: mapped once, with the capability it was made with.
static seL4_Error map_private(
	struct system *system, uint32_t domain, const struct page *page, struct mapping mapping) {
	seL4_Error error = page_make(page, &mapping.frame);

	if (!error) error = map_page(&system->domains[domain].space, &mapping, page->bits);
	return error ? error : retire(system, mapping.frame);
}

// The part of a run's data that falls on page `index`.
static struct page page_of(
	const uint8_t *data, seL4_Word data_size, seL4_Word bits, seL4_Word index) {
	seL4_Word start = index << bits;
	seL4_Word left = data_size > start ? data_size - start : 0;

	return (struct page){
		.bits = bits,
		.paddr = SYSTEM_ANY_ADDRESS,
		.data = data + start,
		.data_size = left < 1ul << bits ? left : 1ul << bits,
	};
}

static seL4_Error build_segment(struct system *system, const struct system_segment *segment) {
	const uint8_t *data = system->image.bytes + segment->data_offset;

	for (seL4_Word i = 0; i < segment_pages(segment); i++) {
		struct page page = page_of(data, segment->data_size, PAGE_BITS, i);
		struct mapping mapping = {
			.address = segment->vaddr + (i << PAGE_BITS),
			.rights = rights_of(segment->access),
		};
		seL4_Error error = map_private(system, segment->domain, &page, mapping);

		if (error) return error;
	}
	return seL4_NoError;
}

static seL4_Error build_stack(struct system *system, uint32_t index) {
	static const struct page empty = {.bits = PAGE_BITS, .paddr = SYSTEM_ANY_ADDRESS};
	seL4_Word size = system->image.domains[index].stack_size;

	for (seL4_Word offset = 0; offset < size; offset += 1ul << PAGE_BITS) {
		struct mapping mapping = {
			.address = STACK_TOP - size + offset,
			.rights = seL4_ReadWrite,
		};
		seL4_Error error = map_private(system, index, &empty, mapping);

		if (error) return error;
	}
	return seL4_NoError;
}

seL4_Error pages_build_domain(struct system *system, uint32_t index) {
	struct domain *domain = &system->domains[index];
	struct mapping buffer = {
		.address = IPC_BUFFER_ADDRESS,
		.rights = seL4_ReadWrite,
	};
	seL4_Error error = seL4_NoError;

	for (uint32_t i = 0; !error && i < image_count(&system->image, SYSTEM_SEGMENTS); i++) {
		if (system->image.segments[i].domain == index)
			error = build_segment(system, &system->image.segments[i]);
	}
	if (!error) error = build_stack(system, index);
	if (error) return error;
	domain->ipc_frame = object_make(OBJECT_PAGE, 0);
	if (!domain->ipc_frame) return seL4_NotEnoughMemory;
	buffer.frame = domain->ipc_frame;
	return map_page(&domain->space, &buffer, PAGE_BITS);
}

static seL4_Word attributes_of(const struct system_map *map) {
	if (map->owner_kind == SYSTEM_OWNER_GUEST)
		return map->access & SYSTEM_UNCACHED ? seL4_X86_EPT_Uncached_VMAttributes
						     : seL4_X86_EPT_WriteBack;
	return map->access & SYSTEM_UNCACHED ? seL4_X86_CacheDisabled : seL4_X86_WriteBack;
}

// Map a copy of the frame's capability at the place of page `page_index` in one mapping.
static seL4_Error map_shared(
	struct system *system, const struct system_map *map, seL4_CPtr frame, seL4_Word offset) {
	const struct space *space = map->owner_kind == SYSTEM_OWNER_GUEST
		? &system->guests[map->owner].space
		: &system->domains[map->owner].space;
	struct mapping mapping = {
		.frame = slots_allocate(1),
		.address = map->address + offset,
		.rights = rights_of(map->access),
		.attributes = attributes_of(map),
	};
	seL4_Error error;

	if (!mapping.frame) return seL4_NotEnoughMemory;
	error = seL4_CNode_Copy(seL4_CapInitThreadCNode, mapping.frame, seL4_WordBits,
		seL4_CapInitThreadCNode, frame, seL4_WordBits, seL4_AllRights);
	if (!error) error = map_page(space, &mapping, system->image.regions[map->region].page_bits);
	return error ? error : retire(system, mapping.frame);
}

static seL4_Error build_region_page(
	struct system *system, uint32_t index, const struct page *page, seL4_Word offset) {
	seL4_CPtr frame;
	seL4_Error error = page_make(page, &frame);

	for (uint32_t i = 0; !error && i < image_count(&system->image, SYSTEM_MAPS); i++) {
		const struct system_map *map = &system->image.maps[i];

		if (map->region == index && map_is_needed(system, map))
			error = map_shared(system, map, frame, offset);
	}
	return error ? error : retire(system, frame);
}

static seL4_Error build_region(struct system *system, uint32_t index) {
	const struct system_region *region = &system->image.regions[index];
	const uint8_t *data = system->image.bytes + region->data_offset;
	seL4_Word data_size = region->data_size;

	if (region->bootinfo_chunk) {
		const seL4_BootInfoHeader *chunk = bootinfo_find(
			system->bootinfo, region->bootinfo_chunk);

		data = (const uint8_t *)chunk;
		data_size = chunk ? chunk->len : 0;
	}
	for (seL4_Word i = 0; i < region->size >> region->page_bits; i++) {
		struct page page = page_of(data, data_size, region->page_bits, i);
		seL4_Word offset = i << region->page_bits;
		seL4_Error error;

		if (region->paddr != SYSTEM_ANY_ADDRESS) page.paddr = region->paddr + offset;
		error = build_region_page(system, index, &page, offset);
		if (error) return error;
	}
	return seL4_NoError;
}

seL4_Error pages_build_regions(struct system *system) {
	for (uint32_t i = 0; i < image_count(&system->image, SYSTEM_REGIONS); i++) {
		seL4_Error error;

		if (count_maps(system, i) == 0) continue;
		error = build_region(system, i);
		if (error)
			return system_report(error, "memory region", system->image.regions[i].name);
	}
	return seL4_NoError;
}
