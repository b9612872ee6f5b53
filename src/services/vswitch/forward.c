// SPDX-License-Identifier: BSD-2-Clause
// Frames of one port to the others.
#include <services/vswitch/forward.h>

#include <base/memory.h>

#include <lib/net/offload.h>

enum {
	BATCH = 16, // buffers from one port before it is the next one's turn
};

// A frame for some ports.
struct parcel {
	unsigned source;
	const struct net_header *left; // the work that it needs, or null
	const uint8_t *bytes;
	uint32_t length;
};

// Buffers of a port for the frame, or NET_NO_BUFFER.
static int find_room(struct forwarder *forwarder, unsigned port, const struct parcel *parcel) {
	struct net_sender *sender = &forwarder->ends[port].out;

	net_reclaim(sender);
	if (!share_allows(&forwarder->shares[port], parcel->source, sender->in_flight, sender->free,
		    net_count(parcel->length)))
		return NET_NO_BUFFER;
	return net_take_run(sender, parcel->length);
}

static bool give(struct forwarder *forwarder, unsigned port, const struct parcel *parcel) {
	struct net_sender *sender = &forwarder->ends[port].out;
	int room = find_room(forwarder, port, parcel);
	unsigned buffer;

	// One of higher priority, like a card's driver, makes some.
	if (room == NET_NO_BUFFER) {
		forwarder->tell(port);
		room = find_room(forwarder, port, parcel);
	}
	if (room == NET_NO_BUFFER) {
		forwarder->counts[port].dropped++;
		return false;
	}
	buffer = (unsigned)room;
	share_take(&forwarder->shares[port], parcel->source, net_run(buffer, parcel->length));
	memcpy(net_bytes(sender, buffer), parcel->bytes, parcel->length);
	if (parcel->left)
		net_send_large(sender, buffer, parcel->left, parcel->length);
	else
		net_send(sender, buffer, parcel->length);
	forwarder->counts[port].given++;
	if (parcel->left) forwarder->counts[port].unfinished++;
	return true;
}

// Returns those of the ports that had room.
static uint32_t give_all(
	struct forwarder *forwarder, uint32_t targets, const struct parcel *parcel) {
	uint32_t given = 0;

	for (; targets != 0; targets &= targets - 1)
		if (give(forwarder, (unsigned)__builtin_ctz(targets), parcel))
			given |= targets & -targets;
	return given;
}

// A port that has no room for a segment gets none of those behind it, either: the sender's TCP
// sends all of them again.
static void give_segments(struct forwarder *forwarder, uint32_t targets,
	const struct offload *offload, unsigned source) {
	for (uint32_t i = 0; targets != 0 && i < offload->segments; i++) {
		uint32_t length = offload_segment(offload, forwarder->copy, i, forwarder->segment);

		targets = give_all(forwarder, targets,
			&(struct parcel){source, NULL, forwarder->segment, length});
	}
}

// Those of the ports that take the frame as it is.
static uint32_t takers_of(const struct forwarder *forwarder, uint32_t targets, uint32_t needs) {
	uint32_t takers = 0;

	for (; targets != 0; targets &= targets - 1)
		if (!(needs & ~net_work_taken(&forwarder->ends[__builtin_ctz(targets)].out)))
			takers |= targets & -targets;
	return takers;
}

static void give_unfinished(struct forwarder *forwarder, uint32_t targets,
	const struct offload *offload, struct parcel *parcel) {
	uint32_t takers = takers_of(forwarder, targets, offload->needs);

	parcel->left = &offload->header;
	(void)give_all(forwarder, takers, parcel);
	targets &= ~takers;
	if (targets == 0) return;
	if (offload->segments > 0) {
		give_segments(forwarder, targets, offload, parcel->source);
		return;
	}
	offload_checksum(offload, forwarder->copy);
	parcel->left = NULL;
	(void)give_all(forwarder, targets, parcel);
}

static void forward(struct forwarder *forwarder, unsigned port, const struct net_header *left,
	uint32_t length) {
	struct parcel parcel = {port, NULL, forwarder->copy, length};
	bool is_complete = net_needs(left) == 0;
	struct offload offload;
	uint32_t targets;

	if ((!is_complete && !offload_check(&offload, left, forwarder->copy, length)) ||
		!switch_route(&forwarder->table, port, forwarder->copy, &targets))
		forwarder->counts[port].refused++;
	else if (is_complete)
		(void)give_all(forwarder, targets, &parcel);
	else
		give_unfinished(forwarder, targets, &offload, &parcel);
}

bool forward_attach(struct forwarder *forwarder, unsigned port, void *link) {
	struct net_end *end = &forwarder->ends[port];

	if (!net_attach(end, link, NET_TO_STATION)) return false;
	net_take_work(&end->in, NET_ALL_WORK);
	return true;
}

bool forward_batch(struct forwarder *forwarder, unsigned port) {
	struct net_receiver *receiver = &forwarder->ends[port].in;

	for (unsigned taken = 0; taken < BATCH;) {
		struct net_header left;
		struct net_frame frame;

		if (!net_receive_large(receiver, &frame, &left)) return false;
		memcpy(forwarder->copy, frame.bytes, frame.length);
		net_return(receiver, frame.buffer);
		forwarder->counts[port].taken++;
		forward(forwarder, port, &left, frame.length);
		taken += net_count(frame.length);
	}
	return true;
}
