// SPDX-License-Identifier: BSD-2-Clause
// Where regions are on this machine, of which the image does not know where it has its screen.
#pragma once

#include <root/system.h>

// Before memory is used: finds the screen. One that is larger than the region for it counts as
// none.
void extent_find_screen(struct system *system);

struct extent extent_of(const struct system *system, uint32_t region);

static inline seL4_Word extent_pages(struct extent extent) { return extent.size >> extent.bits; }
