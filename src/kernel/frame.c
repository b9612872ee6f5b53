// SPDX-License-Identifier: BSD-2-Clause
// Frames: memory that can be mapped. Each capability knows the one place where it is mapped.
#include <kernel/mapping.h>

#include <base/bits.h>
#include <kernel/object.h>

// A copy is mapped nowhere (semantics.md B1).
enum error frame_derive(const struct slot *, struct cap *cap) {
	cap->word = 0;
	return ERROR_NONE;
}

// Level of the table whose entry maps a frame: 1, 2 or 3.
static unsigned frame_level(const struct cap *frame) {
	return (frame->size_bits - PAGE_BITS) / 9u + 1;
}

// Write without read gives nothing (objects.md 3).
static enum paging_access frame_access(const struct cap *frame, uint64_t mask) {
	uint64_t rights = frame->rights & mask;

	if (!(rights & RIGHT_READ)) return PAGING_NO_ACCESS;
	return rights & RIGHT_WRITE ? PAGING_READ_WRITE : PAGING_READ;
}

void frame_destroy(struct slot *slot, bool) {
	struct cap *cap = &slot->cap;
	unsigned level = frame_level(cap);
	struct mapping mapping = mapping_of(cap, level);

	// Another frame may have replaced this one (J4).
	if (mapping.entry && paging_is_page(mapping.paging, *mapping.entry, level) &&
		physical_pointer(paging_target(*mapping.entry, level)) == cap_object(cap)) {
		*mapping.entry = 0;
		mapping_flush(cap);
	}
	cap->word = 0;
}

void frame_attach(struct cap *frame, const struct cap *root, uint64_t address, uint64_t rights,
	uint64_t attributes) {
	unsigned level = frame_level(frame);
	const struct paging_page page = {
		.address = physical_of(cap_object(frame)),
		.level = level,
		.access = frame_access(frame, rights),
		.attributes = attributes,
	};
	struct mapping mapping = mapping_under(root, address, level);
	uint64_t old = *mapping.entry;

	*mapping.entry = paging_page_entry(mapping.paging, &page);
	mapping_record(frame, root, address);
	if (!paging_is_free(mapping.paging, old)) mapping_flush(frame);
}

// Whether the place asked for agrees with where the capability is mapped, or is a user's.
static enum error frame_check_place(struct invocation *invocation, uint64_t address) {
	const struct cap *frame = &invocation->slot->cap;
	uint64_t size = BIT(frame->size_bits);

	if (!frame->map.mapped)
		return range_fits(address, size, MAPPING_USER_LIMIT)
			? ERROR_NONE
			: error_argument(invocation, 0);
	if (frame->map.asid != invocation->caps[0]->cap.map.asid)
		return error_capability(invocation, 1);
	if (frame->map.format != SPACE_HOST) return ERROR_ILLEGAL_OPERATION;
	return mapping_address(frame) == address ? ERROR_NONE : error_argument(invocation, 0);
}

// What both Map operations check last: the root, the alignment, and the tables on the way.
static enum error frame_find(
	struct invocation *invocation, uint64_t address, struct mapping *mapping) {
	const struct cap *frame = &invocation->slot->cap;
	enum error error = mapping_check_root(invocation);

	if (error) return error;
	if (!is_aligned(address, BIT(frame->size_bits))) return ERROR_ALIGNMENT;
	return mapping_find(invocation, address, frame_level(frame), mapping);
}

static enum error frame_map_at(struct invocation *invocation, uint64_t address) {
	frame_attach(&invocation->slot->cap, &invocation->caps[0]->cap, address,
		invocation_word(invocation, 1), invocation_word(invocation, 2));
	return ERROR_NONE;
}

enum error frame_map(struct invocation *invocation) {
	const struct cap *frame = &invocation->slot->cap;
	uint64_t address = invocation_word(invocation, 0);
	struct mapping mapping;
	enum error error;

	if (!space_is_assigned(&invocation->caps[0]->cap, SPACE_HOST))
		return error_capability(invocation, 1);
	error = frame_check_place(invocation, address);
	if (!error) error = frame_find(invocation, address, &mapping);
	if (error) return error;
	if (paging_is_table(mapping.paging, *mapping.entry, frame_level(frame)))
		return ERROR_DELETE_FIRST;
	return frame_map_at(invocation, address);
}

enum error frame_map_ept(struct invocation *invocation) {
	const struct cap *frame = &invocation->slot->cap;
	uint64_t address = align_down(invocation_word(invocation, 0), BIT(PAGE_BITS));
	struct mapping mapping;
	enum error error;

	if (frame->map.mapped) return error_capability(invocation, 0);
	if (!space_is_assigned(&invocation->caps[0]->cap, SPACE_GUEST))
		return error_capability(invocation, 1);
	error = frame_find(invocation, address, &mapping);
	if (error) return error;
	if (!paging_is_free(mapping.paging, *mapping.entry)) return ERROR_DELETE_FIRST;
	if (frame->size_bits == HUGE_PAGE_BITS) return error_capability(invocation, 0);
	return frame_map_at(invocation, address);
}

enum error frame_unmap(struct invocation *invocation) {
	frame_destroy(invocation->slot, false);
	return ERROR_NONE;
}

// There is no IOSpace capability (table.c), and each check before that one answers the same.
enum error frame_map_io(struct invocation *invocation) { return error_capability(invocation, 0); }

enum error frame_get_address(struct invocation *invocation) {
	return invocation_return(invocation, physical_of(invocation_object(invocation)).value);
}
