// SPDX-License-Identifier: BSD-2-Clause
// Nacre's network protocol: a link is one memory region between a station (a program that sends and
// receives frames, or the driver of a card) and the switch. docs/reference/network.md has the
// rules.
//
//   0x00000  lane 0, station to switch: ring of filled buffers, ring of returned ones
//   0x00500  lane 1, switch to station: the same
//   0x01000  64 buffers of lane 0, 2048 bytes each
//   0x21000  64 buffers of lane 1
//
// The sender of a lane owns its buffers. It fills one, puts its number and length into the ring of
// filled buffers, and may reuse it when the other ring has returned its number. A zeroed region is
// an idle link.
#pragma once

#include <abi/compiler.h>
#include <stddef.h>
#include <stdint.h>

#include <nacre/ring.h>

enum {
	NET_BUFFERS = 64, // of a lane; as many as a word has bits
	NET_BUFFER_SIZE = 2048,
	NET_FRAME_MIN = 14, // an Ethernet frame from its destination address to its last byte,
	NET_FRAME_MAX = 1514, // without checksum; shorter ones than 60 bytes need no padding
	NET_MAC_BYTES = 6,
};

struct net_item {
	uint32_t buffer;
	uint32_t length; // of a filled buffer
};

enum {
	NET_RING_SIZE = RING_HEADER + NET_BUFFERS * sizeof(struct net_item),
};

struct net_lane {
	uint8_t filled[NET_RING_SIZE] __attribute__((aligned(RING_LINE))); // sender to receiver
	uint8_t returned[NET_RING_SIZE] __attribute__((aligned(RING_LINE))); // receiver to sender
};

typedef uint8_t net_buffers[NET_BUFFERS][NET_BUFFER_SIZE];

enum net_direction {
	NET_TO_SWITCH = 0,
	NET_TO_STATION = 1,
	NET_LANES = 2,
};

struct net_link {
	struct net_lane lanes[NET_LANES];
	net_buffers buffers[NET_LANES] __attribute__((aligned(4096)));
};

ABI_ASSERT(sizeof(struct net_lane) == 0x500);
ABI_ASSERT(offsetof(struct net_link, buffers) == 0x1000);
ABI_ASSERT(sizeof(struct net_link) == 0x41000);

// What a station may request from the switch by a protected call; only about its own port.
enum net_request {
	// Answer: the address that the port's frames must have, as a number whose highest of six
	// bytes is the first; 0 if any is allowed.
	NET_ADDRESS = 1,
	// Answer: frames taken from the port, frames delivered to it, frames for it that were
	// dropped for want of buffers, frames from it that were refused.
	NET_COUNTS = 2,
};

enum net_status {
	NET_OK = 0, // label of the answer
	NET_BAD_REQUEST = 1,
	NET_NO_PORT = 2, // the switch's settings have no such port
};
