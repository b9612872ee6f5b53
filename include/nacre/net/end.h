// SPDX-License-Identifier: BSD-2-Clause
// The two ends of a network link: buffers sent and returned. Everything the peer writes is checked;
// it can corrupt or delay frames, and nothing else.
#pragma once

#include <nacre/net/link.h>

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

// Take back returned buffers; a number that was not sent is ignored.
static inline void net_reclaim(struct net_sender *sender) {
	struct net_item item;

	while (ring_get(&sender->returned, &item)) {
		uint64_t first = item.buffer < NET_BUFFERS ? 1ul << item.buffer : 0;
		uint64_t others = sender->in_flight & ~sender->starts;

		// With the others that follow the first without a gap: a carry runs through those.
		first &= sender->starts;
		first |= others & ~(others + (first << 1));
		sender->free |= first;
		sender->in_flight &= ~first;
		sender->starts &= ~first;
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

// Free a taken buffer, one alone, without sending it.
static inline void net_untake(struct net_sender *sender, unsigned buffer) {
	sender->free |= 1ul << buffer;
}

// Send the taken buffers of a frame, of which `buffer` is the first. After a batch, ask
// net_must_notify.
static inline void net_send(struct net_sender *sender, unsigned buffer, uint32_t length) {
	struct net_item item = {buffer, length};
	uint64_t run = net_run(buffer, length & ~NET_UNFINISHED);

	if (!ring_put(&sender->filled, &item)) {
		sender->free |= run;
		return;
	}
	sender->in_flight |= run;
	sender->starts |= 1ul << buffer;
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
