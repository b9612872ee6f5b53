// SPDX-License-Identifier: BSD-2-Clause
// Nacre's network protocol: a link is one memory region between a station (a program that sends and
// receives frames, or the driver of a card) and the switch. docs/reference/network.md has the
// rules.
//
//   0x00000  lane 0, station to switch: ring of filled buffers, ring of returned ones
//   0x00500  lane 1, switch to station: the same
//   0x00a00  headers of frames in lane 0, one a buffer; of frames in lane 1
//   0x00f00  the work on frames that the receiver of lane 0 takes; of lane 1
//   0x01000  64 buffers of lane 0, 2048 bytes each
//   0x21000  64 buffers of lane 1
//
// The sender of a lane owns its buffers. It fills one, puts its number and length into the ring of
// filled buffers, and may reuse it when the other ring has returned its number. A zeroed region is
// an idle link. Frames that are not complete, up to 64 KiB, go only to a receiver that has said
// that it takes them: they have a header, and may occupy several buffers that follow each other.
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
	NET_LARGE_MAX = 65550, // of a frame that is to be cut into segments
};

// Added to the length of a frame that is not complete.
#define NET_UNFINISHED (1u << 31)

struct net_item {
	uint32_t buffer; // the first, if the frame has several
	uint32_t length; // of a frame; NET_UNFINISHED
};

// What the sender of a frame left to others, as virtio's network header says it (virtio 1.2,
// 5.1.6), in the slot of the frame's first buffer.
struct net_header {
	uint8_t flags;
	uint8_t kind; // enum net_segments
	uint16_t headers; // bytes before the payload, as a hint
	uint16_t segment; // the payload of a segment, in bytes
	uint16_t checksum_start; // of what is to be summed, to the frame's end
	uint16_t checksum_offset; // from there to where the sum belongs, where a part of it stands
};

enum net_flag {
	NET_NEEDS_CHECKSUM = 1,
};

enum net_segments {
	NET_SEGMENTS_NONE = 0,
	NET_SEGMENTS_TCP4 = 1,
	NET_SEGMENTS_TCP6 = 4,
	NET_SEGMENTS_ECN = 0x80, // may be added: the packet has CWR, which is the first segment's
};

// The work that a frame needs, and that a receiver takes.
enum net_work {
	NET_CHECKSUM = 1 << 0,
	NET_TCP4 = 1 << 1,
	NET_TCP6 = 1 << 2,
	NET_ECN = 1 << 3,
	NET_ALL_WORK = (1 << 4) - 1,
	NET_UNKNOWN = 1 << 4, // that no receiver takes
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

typedef struct net_header net_headers[NET_BUFFERS];

struct net_link {
	struct net_lane lanes[NET_LANES];
	net_headers headers[NET_LANES];
	uint32_t takes[NET_LANES]; // enum net_work, written by the receiver
	net_buffers buffers[NET_LANES] __attribute__((aligned(4096)));
};

ABI_ASSERT(sizeof(struct net_lane) == 0x500);
ABI_ASSERT(sizeof(struct net_header) == 10);
ABI_ASSERT(offsetof(struct net_link, headers) == 0xa00);
ABI_ASSERT(offsetof(struct net_link, takes) == 0xf00);
ABI_ASSERT(offsetof(struct net_link, buffers) == 0x1000);
ABI_ASSERT(sizeof(struct net_link) == 0x41000);

// What a station may request from the switch by a protected call; only about its own port.
enum net_request {
	// Answer: the address that the port's frames must have, as a number whose highest of six
	// bytes is the first; 0 if any is allowed.
	NET_ADDRESS = 1,
	// Answer: frames taken from the port, frames delivered to it, frames for it that were
	// dropped for want of buffers, frames from it that were refused; frames delivered to it
	// that were not complete.
	NET_COUNTS = 2,
};

enum net_status {
	NET_OK = 0, // label of the answer
	NET_BAD_REQUEST = 1,
	NET_NO_PORT = 2, // the switch's settings have no such port
};
