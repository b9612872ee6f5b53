// SPDX-License-Identifier: BSD-2-Clause
// Frames one at a time: created in one slot, filled through a temporary mapping, mapped, and the
// capabilities moved to the storage CNode, so that the root CNode does not limit the memory.
#include <root/pages.h>

#include <base/bits.h>
#include <base/memory.h>

#include <user/slots.h>
#include <user/untyped.h>

#define COPY_ADDRESS 0x200000000000ul
static seL4_Word segment_pages(const struct system_segment *segment) {
	return align_up(segment->memory_size, 1ul << PAGE_BITS) >> PAGE_BITS;
}

seL4_Word pages_of_domain(const struct system *system, uint32_t index) {
	const struct image *image = &system->image;
	bool monitor = image->domains[index].guest != SYSTEM_NONE;
	// With the IPC buffer and the state page.
	seL4_Word count = (image->domains[index].stack_size >> PAGE_BITS) + 1 + monitor;

	for (uint32_t i = 0; i < image_count(image, SYSTEM_SEGMENTS); i++) {
		if (image->segments[i].domain == index) count += segment_pages(&image->segments[i]);
	}
	return count;
}

seL4_Word pages_storage_bits(seL4_Word count) { return bits_highest(count | 1) + 1; }

seL4_Error pages_init(struct system *system, seL4_Word count) {
	system->storage_bits = pages_storage_bits(count);
	system->storage_used = 0;
	system->storage = object_make(OBJECT_CNODE, system->storage_bits);
	return system->storage ? seL4_NoError : seL4_NotEnoughMemory;
}

seL4_Error pages_retire(struct system *system, seL4_CPtr slot) {
	seL4_Error error = seL4_CNode_Move(system->storage, system->storage_used,
		(seL4_Uint8)system->storage_bits, seL4_CapInitThreadCNode, slot, seL4_WordBits);

	if (!error) {
		system->storage_used++;
		slots_release(slot, 1);
	}
	return error;
}

seL4_Error pages_recall(const struct system *system, seL4_Word stored, seL4_CPtr slot) {
	return seL4_CNode_Copy(seL4_CapInitThreadCNode, slot, seL4_WordBits, system->storage,
		stored, (seL4_Uint8)system->storage_bits, seL4_AllRights);
}

seL4_Error page_map(const struct space *space, const struct mapping *mapping, seL4_Word bits) {
	seL4_Error error = space_prepare(space, mapping->address, bits);
	struct mapping sized = *mapping;

	sized.bits = bits;
	return error ? error : space_map(space, &sized);
}

// Copy data into a new frame. Each page size has its own temporary address: a large frame cannot be
// mapped where a page table is.
static seL4_Error fill(seL4_CPtr frame, const struct page *page) {
	struct space own = space_own();
	seL4_Word address = COPY_ADDRESS + (page->bits == PAGE_BITS ? 0 : 1ul << HUGE_PAGE_BITS);
	struct mapping mapping = {
		.frame = frame,
		.address = address,
		.rights = seL4_ReadWrite,
	};
	seL4_Error error = page_map(&own, &mapping, page->bits);

	if (error) return error;
	memcpy((void *)address, page->data, page->data_size);
	return seL4_X86_Page_Unmap(frame);
}

seL4_Error page_make(const struct page *page, seL4_CPtr *frame) {
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

seL4_CapRights_t page_rights(uint32_t access) {
	return seL4_CapRights_new(0, 0, 1, access & SYSTEM_WRITE);
}

// A private page of a domain: mapped once, with the capability from its creation.
static seL4_Error map_private(
	struct system *system, uint32_t domain, const struct page *page, struct mapping mapping) {
	seL4_Error error = page_make(page, &mapping.frame);

	if (!error) error = page_map(&system->domains[domain].space, &mapping, page->bits);
	return error ? error : pages_retire(system, mapping.frame);
}

struct page page_of(const uint8_t *data, seL4_Word data_size, seL4_Word bits, seL4_Word index) {
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
			.rights = page_rights(segment->access),
		};
		seL4_Error error = map_private(system, segment->domain, &page, mapping);

		if (error) return error;
	}
	return seL4_NoError;
}

static seL4_Error build_stack(struct system *system, uint32_t index) {
	static const struct page empty = {.bits = PAGE_BITS, .paddr = SYSTEM_ANY_ADDRESS};
	seL4_Word size = system->image.domains[index].stack_size;

	system->domains[index].stack_stored = system->storage_used;
	for (seL4_Word offset = 0; offset < size; offset += 1ul << PAGE_BITS) {
		struct mapping mapping = {
			.address = DOMAIN_STACK_TOP - size + offset,
			.rights = seL4_ReadWrite,
		};
		seL4_Error error = map_private(system, index, &empty, mapping);

		if (error) return error;
	}
	return seL4_NoError;
}

// A page whose frame stays with the initial task, for other uses than mapping.
static seL4_Error build_shown(struct domain *domain, seL4_Word address, seL4_CPtr *frame) {
	struct mapping mapping = {.address = address, .rights = seL4_ReadWrite};

	*frame = object_make(OBJECT_PAGE, 0);
	if (!*frame) return seL4_NotEnoughMemory;
	mapping.frame = *frame;
	return page_map(&domain->space, &mapping, PAGE_BITS);
}

seL4_Error pages_build_domain(struct system *system, uint32_t index) {
	struct domain *domain = &system->domains[index];
	uint32_t guest = system->image.domains[index].guest;
	seL4_Error error = seL4_NoError;

	for (uint32_t i = 0; !error && i < image_count(&system->image, SYSTEM_SEGMENTS); i++) {
		if (system->image.segments[i].domain == index)
			error = build_segment(system, &system->image.segments[i]);
	}
	if (!error) error = build_stack(system, index);
	if (!error) error = build_shown(domain, DOMAIN_IPC_BUFFER, &domain->ipc_frame);
	if (error || guest == SYSTEM_NONE) return error;
	return build_shown(domain, DOMAIN_VCPU_STATE, &system->guests[guest].state_frame);
}

const seL4_Word *pages_open_stack(
	const struct system *system, uint32_t domain, seL4_Word address, seL4_CPtr slot) {
	struct space own = space_own();
	seL4_Word bottom = DOMAIN_STACK_TOP - system->image.domains[domain].stack_size;
	struct mapping mapping = {.frame = slot, .address = COPY_ADDRESS, .rights = seL4_CanRead};
	seL4_Word page = (address - bottom) >> PAGE_BITS;

	if (pages_recall(system, system->domains[domain].stack_stored + page, slot)) return NULL;
	if (page_map(&own, &mapping, PAGE_BITS)) {
		seL4_CNode_Delete(seL4_CapInitThreadCNode, slot, seL4_WordBits);
		return NULL;
	}
	return (const seL4_Word *)COPY_ADDRESS;
}

void pages_close_stack(seL4_CPtr slot) {
	seL4_X86_Page_Unmap(slot);
	seL4_CNode_Delete(seL4_CapInitThreadCNode, slot, seL4_WordBits);
}
