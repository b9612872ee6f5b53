// SPDX-License-Identifier: BSD-2-Clause
// The work on a frame that its sender left to others (see struct net_header), and how it is done
// for those who take complete frames only. All facts come from guests: each is checked against the
// frame's bytes once, and nothing outside of those is read or written. Pure.
#pragma once

#include <nacre/protocol/net.h>

#include <stdbool.h>
#include <stdint.h>

struct offload {
	struct net_header header; // as it may be passed on: what it says is so
	uint32_t needs; // enum net_work that is left; 0: the frame is complete
	uint32_t length; // of the frame
	// Of one that is to be cut into TCP segments:
	uint32_t segments; // their number; 0 for other frames
	uint32_t ip; // offset of the IP header
	uint32_t headers; // bytes before the payload
	bool is_v6;
};

// What is left to do of a frame in private memory. False when that cannot be done: headers that are
// not those of TCP, offsets outside of the frame, segments that no link carries.
[[nodiscard]] bool offload_check(struct offload *offload, const struct net_header *header,
	const uint8_t *frame, uint32_t length);

// Completes the checksum of a frame without segments.
void offload_checksum(const struct offload *offload, uint8_t *frame);

// Writes segment `number`, complete, into NET_FRAME_MAX bytes; returns its length.
[[nodiscard]] uint32_t offload_segment(
	const struct offload *offload, const uint8_t *frame, uint32_t number, uint8_t *segment);
