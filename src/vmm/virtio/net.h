// SPDX-License-Identifier: BSD-2-Clause
// The network device (virtio 1.2, 5.1): one pair of queues, and a control queue.
#pragma once

#include <vmm/host/clock.h>
#include <vmm/virtio/queue.h>

#include <nacre/protocol/net.h>
#include <virtio/net.h>

enum {
	NET_QUEUES = 3,
	NET_MERGED = 64, // buffers of the guest for one packet
};

// A packet that has arrived. Its bytes may change until they are copied.
struct net_packet {
	struct virtio_net_header header;
	uint32_t length;
	const uint8_t *bytes;
};

// The other end of the cable.
struct net_backend {
	void *context;
	// Sends what follows the header in a chain's readable part; false when there is no room.
	bool (*send)(void *context, const struct virtio_net_header *header,
		const struct virtio_chain *chain);
	// The oldest packet that has arrived, which stays until it is skipped.
	bool (*peek)(void *context, struct net_packet *packet);
	void (*skip)(void *context);
	// Ends a batch. True when there is nothing more to do, and net_poll will be called when
	// there is: a packet, unless the guest is out of buffers; room, if some was missing.
	bool (*rest)(void *context, bool out_of_buffers, bool out_of_room);
	// What the driver may send and takes now: its features, without those of GUEST_ that it has
	// switched off; none before it has started.
	void (*agree)(void *context, uint64_t features);
	uint64_t offloads; // features by which guests pass each other work on packets
};

// Packets that the guest sends one after the other; times by the host's counter.
struct net_burst {
	bool begun; // it has sent one, and has neither idled nor received one since
	uint64_t notified; // the last time
	uint64_t wait; // of a packet, at most
	uint64_t due; // when the transmit queue is looked at, or CLOCK_NEVER: the driver notifies
};

struct net {
	struct virtio_device device;
	struct virtqueue queues[NET_QUEUES];
	struct virtio_net_config config;
	struct net_backend backend;
	const struct clock *clock; // the host's; null: the driver notifies of each packet
	struct net_burst burst;
	struct virtio_chain first, chain; // of the packet being moved
	struct net_packet packet;
	bool out_of_buffers, out_of_room;
	struct virtqueue_token tokens[NET_MERGED]; // of the packet being received
	uint32_t written[NET_MERGED];
};

// Prepares the device; the back end is set. Memory and transport are still to be set.
void net_init(struct net *net, const uint8_t mac[NET_MAC_BYTES]);
// There are packets for the guest, or buffers for them, or room for what it sends.
void net_poll(struct net *net);
// Looks at the transmit queue in a burst, if that is due, or the guest idles.
void net_settle(struct net *net, bool idle);
// The cable is plugged in, or pulled out.
void net_set_link(struct net *net, bool up);
