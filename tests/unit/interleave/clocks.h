// SPDX-License-Identifier: BSD-2-Clause
// What comes before what, on all cores: vector clocks. A core's clock counts its releases; of the
// others it knows how far they were in what it has acquired.
#pragma once

#include "explore.h"

struct clock {
	uint32_t of[CORES_MAX];
};

// All that has happened comes before all that will.
void clocks_begin(unsigned cores);

// The present core's clock; it goes on by one.
void clocks_copy(struct clock *clock);
void clocks_advance(void);

// The value that memory has now came with this clock; null: with none.
void clocks_release(const void *memory, const struct clock *clock);
// With the present core's as well.
void clocks_release_too(const void *memory);
void clocks_acquire(const void *memory);

// A plain access of the present core; one that races with another fails.
void clocks_access(const void *memory, uint64_t size, bool is_write, const void *from);
