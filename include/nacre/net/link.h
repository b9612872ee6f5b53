// SPDX-License-Identifier: BSD-2-Clause
// Which buffers the two ends of a network link have, from the start and after a restart.
#pragma once

#include <abi/compiler.h>

#include <nacre/protocol/net.h>

struct net_sender {
	struct ring_end filled;
	struct ring_end returned;
	net_buffers *buffers;
	net_headers *headers;
	const uint32_t *takes; // what the receiver says, at any time
	uint64_t free; // bit i: buffer i may be taken
	uint64_t in_flight; // bit i: buffer i was sent and has not come back
	uint64_t starts; // those of them that are the first of their frames
	bool notify_due; // something was sent since the peer was last notified
};

struct net_receiver {
	struct ring_end filled;
	struct ring_end returned;
	const net_buffers *buffers;
	const net_headers *headers;
	uint32_t *takes;
	bool notify_due; // something was returned since the peer was last notified
};

struct net_end {
	struct net_sender out;
	struct net_receiver in;
};

// The number of buffers of a frame.
ABI_MUST_USE static inline uint32_t net_count(uint32_t length) {
	return length <= NET_BUFFER_SIZE ? 1 : (length - 1) / NET_BUFFER_SIZE + 1;
}

// The buffers of a frame as bits; none if there are not so many.
ABI_MUST_USE static inline uint64_t net_run(uint32_t buffer, uint32_t length) {
	uint32_t count = net_count(length);

	if (buffer >= NET_BUFFERS) return 0;
	if (count == 1) return 1ul << buffer;
	return count > NET_BUFFERS - buffer ? 0 : ~0ul >> (NET_BUFFERS - count) << buffer;
}

// The buffers named by ring items first to last - 1, as bits, and which of them are named there.
static inline uint64_t net_named(
	const struct ring_end *end, uint32_t first, uint32_t last, uint64_t *starts) {
	const struct net_item *items = (const struct net_item *)ring_items(end);
	uint64_t named = 0;

	*starts = 0;
	for (uint32_t i = first; i != last; i++) {
		struct net_item item = items[i & end->mask];
		uint64_t run = net_run(item.buffer, item.length & ~NET_UNFINISHED);

		named |= run;
		*starts |= run & -run;
	}
	return named;
}

// A restarted sender takes all buffers but those still in the ring; the buffers returned to its
// predecessor are among them.
ABI_MUST_USE static inline bool net_attach_sender(
	struct net_sender *sender, struct net_lane *lane, net_buffers *buffers) {
	sender->buffers = buffers;
	if (!ring_attach_producer(
		    &sender->filled, lane->filled, NET_RING_SIZE, sizeof(struct net_item)) ||
		!ring_attach_consumer(
			&sender->returned, lane->returned, NET_RING_SIZE, sizeof(struct net_item)))
		return false;
	for (struct net_item item; ring_get(&sender->returned, &item);)
		;
	sender->in_flight = net_named(
		&sender->filled, sender->filled.other, sender->filled.own, &sender->starts);
	sender->free = ~sender->in_flight;
	return true;
}

// A restarted receiver returns what its predecessor may have held: all buffers that are in neither
// ring. The sender ignores those that were never sent.
ABI_MUST_USE static inline bool net_attach_receiver(
	struct net_receiver *receiver, struct net_lane *lane, const net_buffers *buffers) {
	uint64_t held, starts;

	receiver->buffers = buffers;
	if (!ring_attach_consumer(
		    &receiver->filled, lane->filled, NET_RING_SIZE, sizeof(struct net_item)) ||
		!ring_attach_producer(&receiver->returned, lane->returned, NET_RING_SIZE,
			sizeof(struct net_item)))
		return false;
	(void)ring_count(&receiver->filled);
	held = ~net_named(
		       &receiver->filled, receiver->filled.own, receiver->filled.other, &starts) &
		~net_named(&receiver->returned, receiver->returned.other, receiver->returned.own,
			&starts);
	if (receiver->filled.own == 0) held = 0;
	for (; held != 0; held &= held - 1) {
		struct net_item item = {(uint32_t)__builtin_ctzl(held), 0};

		if (!ring_put(&receiver->returned, &item)) break;
		receiver->notify_due = true;
	}
	return true;
}

// Once, from `init`. `direction` is the lane on which this end sends. It takes complete frames,
// until it says otherwise (see large.h). False without a region.
ABI_MUST_USE static inline bool net_attach(
	struct net_end *end, void *memory, enum net_direction direction) {
	struct net_link *link = (struct net_link *)memory;
	enum net_direction back = direction == NET_TO_SWITCH ? NET_TO_STATION : NET_TO_SWITCH;

	if (!link) return false;
	end->out.headers = &link->headers[direction];
	end->out.takes = &link->takes[direction];
	end->in.headers = (const net_headers *)&link->headers[back];
	end->in.takes = &link->takes[back];
	__atomic_store_n(end->in.takes, 0, __ATOMIC_RELAXED);
	return net_attach_sender(&end->out, &link->lanes[direction], &link->buffers[direction]) &&
		net_attach_receiver(
			&end->in, &link->lanes[back], (const net_buffers *)&link->buffers[back]);
}
