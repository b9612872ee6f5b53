// SPDX-License-Identifier: BSD-2-Clause
// How many of a port's buffers frames of one other port may occupy at a time: at most as many as
// are free then. So one sender alone gets half of them, many get equal parts, and a new one always
// finds some, however fast the others send and however slowly the port returns its buffers. A
// frame that finds all of them free may have one more, as the largest frame has. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <services/vswitch/table.h>

// Of one receiving port; bit i of a word is buffer i.
struct share {
	uint64_t held[SWITCH_PORTS]; // by the port that the frame came from
};

// Set bits, summed in pairs, fours and bytes; not every x86-64 has an instruction for it.
static inline unsigned share_count(uint64_t bits) {
	bits -= bits >> 1 & 0x5555555555555555ul;
	bits = (bits & 0x3333333333333333ul) + (bits >> 2 & 0x3333333333333333ul);
	bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0ful;
	return (unsigned)(bits * 0x0101010101010101ul >> 56);
}

// Whether a frame from the port may have so many more. `in_flight` and `free` are the sender's own
// words (see struct net_sender), just reclaimed.
[[nodiscard]] static inline bool share_allows(
	struct share *share, unsigned source, uint64_t in_flight, uint64_t free, unsigned count) {
	uint64_t held = share->held[source] &= in_flight;

	return in_flight == 0 || share_count(held) + 2 * count <= share_count(free) + 1;
}

// The buffers, a bit each, now hold a frame from the port, and no older one.
static inline void share_take(struct share *share, unsigned source, uint64_t buffers) {
#pragma GCC unroll 9
	for (unsigned i = 0; i < SWITCH_PORTS; i++)
		share->held[i] &= ~buffers;
	share->held[source] |= buffers;
}
