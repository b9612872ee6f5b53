// SPDX-License-Identifier: BSD-2-Clause
// Tables and frames in spaces.
#pragma once

#include <cap/cap.h>
#include <cpu/paging.h>

// Puts a table, or a frame with all its rights, into a new space and records that in the
// capability. Everything above must be there.
void mapping_attach(struct cap *cap, const struct cap *root, uint64_t address);

// Level of the table whose entry maps a frame: 1, 2 or 3.
static inline unsigned frame_level(const struct cap *frame) {
	_Static_assert(PAGE_BITS / 8 == 1 && LARGE_PAGE_BITS / 8 == 2 && HUGE_PAGE_BITS / 8 == 3);
	return frame->size_bits / 8u;
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

// True if an entry of this level maps this very frame, or names this very table.
static inline bool entry_leads_to(
	uint64_t entry, unsigned level, enum cap_type type, physical_t memory) {
	if (type == CAP_FRAME) return paging_leads_to(entry, level, memory);
	return paging_is_table(entry, level) && paging_target(entry, 1).value == memory.value;
}

// Takes the frame or table out of the space of its device, if that still has it (io_space.c).
void io_detach(const struct cap *cap);
