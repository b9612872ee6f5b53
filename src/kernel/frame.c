// SPDX-License-Identifier: BSD-2-Clause
// Frames: memory that can be mapped. Each capability knows the one place where it is mapped.
#include <kernel/mapping.h>
#include <base/bits.h>
#include <base/panic.h>
#include <kernel/space_objects.h>

struct cap frame_create(void *memory, unsigned size_bits, bool device) {
	struct cap cap = cap_make(CAP_FRAME, memory);

	cap.size_bits = size_bits & 63;
	cap.device = device;
	return cap;
}

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

void frame_unmap_cap(struct cap *cap) {
	unsigned level = frame_level(cap);
	struct mapping mapping = mapping_of(cap, level);

	// Another frame may have replaced this one (J4).
	if (mapping.entry && paging_is_page(mapping.paging, *mapping.entry, level) &&
		physical_pointer(paging_target(*mapping.entry, level)) == cap_object(cap)) {
		*mapping.entry = 0;
		mapping_flush_page(cap);
	}
	cap->word = 0;
}

void frame_destroy(struct slot *slot, bool) { frame_unmap_cap(&slot->cap); }

struct frame_request {
	uint64_t address;
	uint64_t rights;
	uint64_t attributes;
};

static void frame_attach(
	struct cap *frame, const struct cap *root, const struct frame_request *request) {
	unsigned level = frame_level(frame);
	const struct paging_page page = {
		.address = physical_of(cap_object(frame)),
		.level = level,
		.access = frame_access(frame, request->rights),
		.attributes = request->attributes,
	};
	struct mapping mapping = mapping_under(root, request->address, level);
	uint64_t old = *mapping.entry;

	*mapping.entry = paging_page_entry(mapping.paging, &page);
	mapping_record(frame, root, request->address);
	if (!paging_is_free(mapping.paging, old)) mapping_flush_page(frame);
}

static struct frame_request frame_read_request(const struct invocation *invocation) {
	return (struct frame_request){
		.address = invocation_word(invocation, 0),
		.rights = invocation_word(invocation, 1),
		.attributes = invocation_word(invocation, 2),
	};
}

// Whether the place asked for agrees with where the capability is mapped, or is a user's.
static enum error frame_check_place(struct invocation *invocation, uint64_t address) {
	const struct cap *frame = &invocation->slot->cap;
	uint64_t size = BIT(frame->size_bits);

	if (!frame->map.mapped)
		return address > MAPPING_USER_LIMIT || address + size > MAPPING_USER_LIMIT
			? error_argument(invocation, 0)
			: ERROR_NONE;
	if (frame->map.asid != invocation->caps[0]->cap.map.asid)
		return error_capability(invocation, 1);
	if (frame->map.format != SPACE_HOST) return ERROR_ILLEGAL_OPERATION;
	return mapping_address(frame) == address ? ERROR_NONE : error_argument(invocation, 0);
}

enum error frame_map(struct invocation *invocation) {
	struct cap *frame = &invocation->slot->cap;
	const struct cap *root = &invocation->caps[0]->cap;
	const struct frame_request request = frame_read_request(invocation);
	unsigned level = frame_level(frame);
	struct mapping mapping;
	enum error error;

	if (!space_is_assigned(root, SPACE_HOST)) return error_capability(invocation, 1);
	error = frame_check_place(invocation, request.address);
	if (error) return error;
	error = mapping_check_root(invocation);
	if (error) return error;
	if (!is_aligned(request.address, BIT(frame->size_bits))) return ERROR_ALIGNMENT;
	error = mapping_find(invocation, request.address, level, &mapping);
	if (error) return error;
	if (paging_is_table(mapping.paging, *mapping.entry, level)) return ERROR_DELETE_FIRST;

	frame_attach(frame, root, &request);
	return ERROR_NONE;
}

enum error frame_map_ept(struct invocation *invocation) {
	struct cap *frame = &invocation->slot->cap;
	const struct cap *root = &invocation->caps[0]->cap;
	struct frame_request request = frame_read_request(invocation);
	struct mapping mapping;
	enum error error;

	request.address = align_down(request.address, BIT(PAGE_BITS));
	if (frame->map.mapped) return error_capability(invocation, 0);
	if (!space_is_assigned(root, SPACE_GUEST)) return error_capability(invocation, 1);
	error = mapping_check_root(invocation);
	if (error) return error;
	if (!is_aligned(request.address, BIT(frame->size_bits))) return ERROR_ALIGNMENT;
	error = mapping_find(invocation, request.address, frame_level(frame), &mapping);
	if (error) return error;
	if (!paging_is_free(mapping.paging, *mapping.entry)) return ERROR_DELETE_FIRST;
	if (frame->size_bits == HUGE_PAGE_BITS) return error_capability(invocation, 0);

	frame_attach(frame, root, &request);
	return ERROR_NONE;
}

enum error frame_unmap(struct invocation *invocation) {
	frame_unmap_cap(&invocation->slot->cap);
	return ERROR_NONE;
}

// There is no IOSpace capability (table.c), and each check before that one answers the same.
enum error frame_map_io(struct invocation *invocation) { return error_capability(invocation, 0); }

enum error frame_get_address(struct invocation *invocation) {
	return invocation_return(invocation, physical_of(cap_object(&invocation->slot->cap)).value);
}

void frame_boot_map(struct cap *frame, const struct cap *root, uint64_t address) {
	const struct frame_request request = {.address = address, .rights = RIGHTS_ALL};

	frame_attach(frame, root, &request);
}
