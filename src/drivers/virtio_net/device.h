// SPDX-License-Identifier: BSD-2-Clause
// A virtio network device (virtio 1.2, 5.1) without offloads: frames are as on the wire, with a
// header in front. Each buffer of a lane has a chain of descriptors of its own, so that the device
// names buffers in what it returns. Pure but for its registers and the memory it shares with the
// device.
#pragma once

#include <lib/virtio/transport.h>
#include <nacre/protocol/net.h>

enum {
	VIRTIO_NET_LANE_MEMORY = 0x1000,
	VIRTIO_NET_MEMORY = NET_LANES *
		VIRTIO_NET_LANE_MEMORY, // bytes that driver and device share
};

// A queue, and which buffers the device has.
struct virtio_net_lane {
	struct virtio_queue queue;
	uint64_t held; // bit i: buffer i
	unsigned count; // of those bits
	uint64_t lost; // of those, the ones that it lost by a reset
};

struct virtio_net {
	struct virtio_places places;
	uint8_t *memory;
	uint64_t paddr; // of the memory
	uint64_t features; // that both know
	struct virtio_queue control;
	bool takes_all; // frames for other addresses, too
	struct virtio_net_lane lanes[NET_LANES]; // by enum net_direction
};

// Resets the device and starts it; if it filters frames, it is asked not to. Buffers that it had
// come back from virtio_net_take. False when it does not work; it has no buffer then.
[[nodiscard]] bool virtio_net_reset(struct virtio_net *device);

// Its address; false when it has none of its own.
[[nodiscard]] bool virtio_net_mac(const struct virtio_net *device, uint8_t mac[NET_MAC_BYTES]);

[[nodiscard]] bool virtio_net_link_is_up(const struct virtio_net *device);

// Give the device a buffer that it does not have, at its physical address, to receive a frame into,
// or to send one of that length. It looks at it when it is notified. False when it has it already.
[[nodiscard]] bool virtio_net_give(struct virtio_net *device, enum net_direction direction,
	unsigned buffer, uint64_t paddr, unsigned length);

// The next buffer that comes back. A received frame has a length that the link allows; 0: there is
// none. VIRTIO_IMPOSSIBLE: the device must be reset.
[[nodiscard]] enum virtio_answer virtio_net_take(struct virtio_net *device,
	enum net_direction direction, unsigned *buffer, unsigned *length);
