// SPDX-License-Identifier: BSD-2-Clause
// Frames: memory that can be mapped. Each capability knows the one place where it is mapped.
#include <memory/frame.h>

#include <base/memory.h>
#include <cpu/mitigations.h>
#include <memory/mapping.h>

// A copy is mapped nowhere (CAP-8).
enum error frame_derive(const struct slot *, struct cap *cap) {
	cap->word = 0;
	return ERROR_NONE;
}

// Level of the table whose entry maps a frame: 1, 2 or 3.
static unsigned frame_level(const struct cap *frame) {
	_Static_assert(PAGE_BITS / 8 == 1 && LARGE_PAGE_BITS / 8 == 2 && HUGE_PAGE_BITS / 8 == 3);
	return frame->size_bits / 8u;
}

// True if a page of this level is mapped by all entries of a page table instead. Few formats ever
// want that.
static bool is_split(const struct paging_format *paging, unsigned level) {
	return paging->split && level == 2 && this_cpu()->mitigations & paging->split;
}

// What an entry of this level says that maps the frame, or its start, with those of its rights that
// are in the mask.
[[gnu::always_inline]] static inline uint64_t frame_entry(const struct cap *frame,
	const struct paging_format *paging, unsigned level, uint64_t rights, uint64_t attributes) {
	enum paging_access access = (enum paging_access)(
		frame->rights & rights & PAGING_READ_WRITE);

	return paging_page_entry(
		paging, physical_of(cap_object(frame)), level, access, attributes, frame->device);
}

// Takes the frame out of its space, if that still has it: another may have replaced it (MEM-4).
static void frame_detach(struct cap *cap) {
	const struct paging_format *paging = paging_formats[cap->map.format];
	unsigned whole = frame_level(cap), level = is_split(paging, whole) ? 1 : whole;
	uint64_t address = cap_address(cap);
	struct mapping mapping = mapping_of(cap, level);

	cap->word = 0;
	if (!mapping.entry) return;
	if (!paging_leads_to(*mapping.entry, level, physical_of(cap_object(cap)))) return;
	*mapping.entry = 0;
	if (unlikely(level != whole)) memory_clear(mapping.entry, BIT(TABLE_BITS));
	paging->invalidate_page(space_physical(mapping.root), mapping.asid, address);
}

void frame_destroy(struct slot *slot, bool) {
	if (slot->cap.map.mapped) frame_detach(&slot->cap);
}

void frame_attach(struct cap *frame, const struct cap *root, uint64_t address) {
	uint64_t *entry = paging_walk(cap_object(root), address, frame_level(frame)).entry;

	*entry = frame_entry(
		frame, paging_formats[root->map.format], frame_level(frame), RIGHTS_ALL, 0);
	frame->word = mapping_place(root, address, 0);
}

// Whether the place asked for agrees with where the capability is mapped, or is a user's.
static enum error frame_check_place(
	struct invocation *invocation, const struct paging_format *paging, uint64_t address) {
	const struct cap *frame = &invocation->slot->cap;
	const struct cap *root = &invocation->caps[0]->cap;

	if (!frame->map.mapped)
		return likely(range_fits(address, BIT(frame->size_bits), paging->limit))
			? ERROR_NONE
			: error_argument(invocation, 0);
	if (frame->map.asid != root->map.asid) return error_capability(invocation, 1);
	if (frame->map.format != root->map.format) return ERROR_ILLEGAL_OPERATION;
	return likely(cap_address(frame) == address) ? ERROR_NONE : error_argument(invocation, 0);
}

// A frame that is mapped already may get other rights where it is, and a page may replace one of
// its size.
enum error frame_map(struct invocation *invocation) {
	const struct paging_format *paging = paging_formats[SPACE_HOST];
	struct cap *frame = &invocation->slot->cap;
	const struct cap *root = &invocation->caps[0]->cap;
	uint64_t address = invocation_word(invocation, 0);
	uint64_t *entry, old;
	enum error error;

	if (!space_is_assigned(root, SPACE_HOST)) return error_capability(invocation, 1);
	error = frame_check_place(invocation, paging, address);
	if (error) return error;
	entry = mapping_find(invocation, address, frame_level(frame), &error);
	if (!entry) return error;
	old = *entry;
	if (paging_is_table(old, frame_level(frame))) return ERROR_DELETE_FIRST;

	*entry = frame_entry(frame, paging, frame_level(frame), invocation_word(invocation, 1),
		invocation_word(invocation, 2));
	frame->word = mapping_place(root, address, 0);
	if (!paging_is_free(old))
		paging->invalidate_page(space_physical(root->word), root->map.asid, address);
	return ERROR_NONE;
}

// A frame that is mapped nowhere, where nothing is.
[[gnu::always_inline]] static inline enum error map_once(
	struct invocation *invocation, enum space_format format, bool split) {
	const struct paging_format *paging = paging_formats[format];
	struct cap *frame = &invocation->slot->cap;
	const struct cap *root = &invocation->caps[0]->cap;
	uint64_t address = align_down(invocation_word(invocation, 0), BIT(PAGE_BITS));
	unsigned level = frame_level(frame), count = split ? PAGING_ENTRIES : 1;
	uint64_t *entries, first;
	enum error error;

	if (frame->map.mapped) return error_capability(invocation, 0);
	if (!space_is_assigned(root, format)) return error_capability(invocation, 1);
	if (address > paging->limit) return error_argument(invocation, 0);
	entries = mapping_find(invocation, address, level, &error);
	if (entries && split) entries = mapping_find(invocation, address, level = 1, &error);
	if (!entries) return error;
	for (unsigned i = 0; i < count; i++)
		if (!paging_is_free(entries[i])) return ERROR_DELETE_FIRST;
	if (level > paging->largest_page) return error_capability(invocation, 0);

	first = frame_entry(frame, paging, level, invocation_word(invocation, 1),
		invocation_word(invocation, 2));
	// Right for addresses that are the other way round as well.
	for (unsigned i = 0; i < count; i++)
		entries[i] = first ^ (uint64_t)i << PAGE_BITS;
	frame->word = mapping_place(root, address, 0);
	return ERROR_NONE;
}

enum error frame_map_ept(struct invocation *invocation) {
	if (unlikely(is_split(paging_formats[SPACE_GUEST], frame_level(&invocation->slot->cap))))
		return map_once(invocation, SPACE_GUEST, true);
	return map_once(invocation, SPACE_GUEST, false);
}

enum error frame_unmap(struct invocation *invocation) {
	if (invocation->slot->cap.map.mapped) frame_detach(&invocation->slot->cap);
	return ERROR_NONE;
}

// A device's DMA is confined by a remapping unit. The kernel drives none, so there is no IOSpace
// capability to map a frame or a table in, and each check before that one answers the same.
enum error io_map(struct invocation *invocation) { return error_capability(invocation, 0); }

enum error frame_get_address(struct invocation *invocation) {
	return invocation_return(invocation, physical_of(invocation_object(invocation)).value);
}
