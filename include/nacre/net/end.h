// SPDX-License-Identifier: BSD-2-Clause
// The two ends of a network link: buffers sent and returned. Everything the peer writes is checked;
// it can corrupt or delay frames, and nothing else.
#pragma once

#include <abi/compiler.h>

#include <nacre/protocol/net.h>

struct net_sender {
	struct ring_end filled;
	struct ring_end returned;
	net_buffers *buffers;
	uint64_t free; // bit i: buffer i may be taken
	uint64_t in_flight; // bit i: buffer i was sent and has not come back
	bool notify_due; // something was sent since the peer was last notified
};

struct net_receiver {
	struct ring_end filled;
	struct ring_end returned;
	const net_buffers *buffers;
	bool notify_due; // something was returned since the peer was last notified
};

struct net_end {
	struct net_sender out;
	struct net_receiver in;
};

// A received frame. The sender can change the bytes at any time: copy them before use.
struct net_frame {
	uint32_t buffer;
	uint32_t length; // NET_FRAME_MIN to NET_FRAME_MAX
	const uint8_t *bytes;
};

enum {
	NET_NO_BUFFER = -1,
};

// An address as the answer to NET_ADDRESS has it, as bytes of a frame.
static inline void net_mac(uint64_t address, uint8_t mac[NET_MAC_BYTES]) {
	for (unsigned i = 0; i < NET_MAC_BYTES; i++)
		mac[i] = (uint8_t)(address >> 8 * (NET_MAC_BYTES - 1 - i));
}

// The buffers named by ring items first to last - 1, as bits.
static inline uint64_t net_named(const struct ring_end *end, uint32_t first, uint32_t last) {
	const struct net_item *items = (const struct net_item *)ring_items(end);
	uint64_t named = 0;

	for (uint32_t i = first; i != last; i++)
		named |= 1ul << (items[i & end->mask].buffer % NET_BUFFERS);
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
	sender->in_flight = net_named(&sender->filled, sender->filled.other, sender->filled.own);
	sender->free = ~sender->in_flight;
	return true;
}

// A restarted receiver returns what its predecessor may have held: all buffers that are in neither
// ring. The sender ignores those that were never sent.
ABI_MUST_USE static inline bool net_attach_receiver(
	struct net_receiver *receiver, struct net_lane *lane, const net_buffers *buffers) {
	uint64_t held;

	receiver->buffers = buffers;
	if (!ring_attach_consumer(
		    &receiver->filled, lane->filled, NET_RING_SIZE, sizeof(struct net_item)) ||
		!ring_attach_producer(&receiver->returned, lane->returned, NET_RING_SIZE,
			sizeof(struct net_item)))
		return false;
	(void)ring_count(&receiver->filled);
	held = ~net_named(&receiver->filled, receiver->filled.own, receiver->filled.other) &
		~net_named(&receiver->returned, receiver->returned.other, receiver->returned.own);
	if (receiver->filled.own == 0) held = 0;
	for (; held != 0; held &= held - 1) {
		struct net_item item = {(uint32_t)__builtin_ctzl(held), 0};

		if (!ring_put(&receiver->returned, &item)) break;
		receiver->notify_due = true;
	}
	return true;
}

// Once, from `init`. `direction` is the lane on which this end sends. False without a region.
ABI_MUST_USE static inline bool net_attach(
	struct net_end *end, void *memory, enum net_direction direction) {
	struct net_link *link = (struct net_link *)memory;
	enum net_direction back = direction == NET_TO_SWITCH ? NET_TO_STATION : NET_TO_SWITCH;

	return link &&
		net_attach_sender(&end->out, &link->lanes[direction], &link->buffers[direction]) &&
		net_attach_receiver(
			&end->in, &link->lanes[back], (const net_buffers *)&link->buffers[back]);
}

// Take back returned buffers; a number that was not sent is ignored.
static inline void net_reclaim(struct net_sender *sender) {
	struct net_item item;

	while (ring_get(&sender->returned, &item)) {
		uint64_t bit = item.buffer < NET_BUFFERS ? 1ul << item.buffer : 0;

		sender->free |= sender->in_flight & bit;
		sender->in_flight &= ~bit;
	}
}

// A buffer to fill, or NET_NO_BUFFER.
ABI_MUST_USE static inline int net_take(struct net_sender *sender) {
	int buffer;

	if (sender->free == 0) net_reclaim(sender);
	if (sender->free == 0) return NET_NO_BUFFER;
	buffer = __builtin_ctzl(sender->free);
	sender->free &= sender->free - 1;
	return buffer;
}

// Free a taken buffer without sending it.
static inline void net_untake(struct net_sender *sender, unsigned buffer) {
	sender->free |= 1ul << buffer;
}

// Send a taken buffer. After a batch, ask net_must_notify.
static inline void net_send(struct net_sender *sender, unsigned buffer, uint32_t length) {
	struct net_item item = {buffer, length};

	if (!ring_put(&sender->filled, &item)) {
		net_untake(sender, buffer);
		return;
	}
	sender->in_flight |= 1ul << buffer;
	sender->notify_due = true;
}

// The oldest frame; false when there is none. Items that name no buffer or have a wrong length are
// dropped, the buffers of the latter returned.
ABI_MUST_USE static inline bool net_receive(
	struct net_receiver *receiver, struct net_frame *frame) {
	struct net_item item;

	while (ring_get(&receiver->filled, &item)) {
		if (item.buffer >= NET_BUFFERS) continue;
		if (item.length >= NET_FRAME_MIN && item.length <= NET_FRAME_MAX) {
			frame->buffer = item.buffer;
			frame->length = item.length;
			frame->bytes = (*receiver->buffers)[item.buffer];
			return true;
		}
		receiver->notify_due |= ring_put(&receiver->returned, &item);
	}
	return false;
}

// Return the buffer of a received frame. After a batch, ask net_must_notify.
static inline void net_return(struct net_receiver *receiver, uint32_t buffer) {
	struct net_item item = {buffer, 0};

	receiver->notify_due |= ring_put(&receiver->returned, &item);
}

// After a batch: true when the peer waits for what was sent or returned; it counts as notified.
ABI_MUST_USE static inline bool net_must_notify(struct net_end *end) {
	bool sent = end->out.notify_due && ring_must_notify(&end->out.filled);
	bool returned = end->in.notify_due && ring_must_notify(&end->in.returned);

	end->out.notify_due = false;
	end->in.notify_due = false;
	return sent || returned;
}
