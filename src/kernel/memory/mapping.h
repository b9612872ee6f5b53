// SPDX-License-Identifier: BSD-2-Clause
// Tables and frames in spaces.
#pragma once

#include <cap/cap.h>

// Puts a table, or a frame with all its rights, into a new space and records that in the
// capability. Everything above must be there.
void mapping_attach(struct cap *cap, const struct cap *root, uint64_t address);

// Level of the table whose entry maps a frame: 1, 2 or 3.
static inline unsigned frame_level(const struct cap *frame) {
	_Static_assert(PAGE_BITS / 8 == 1 && LARGE_PAGE_BITS / 8 == 2 && HUGE_PAGE_BITS / 8 == 3);
	return frame->size_bits / 8u;
}

// Takes the frame or table out of the space of its device, if that still has it (io_space.c).
// level: of the table that names it.
void io_detach(const struct cap *cap, unsigned level);
