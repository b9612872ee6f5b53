// SPDX-License-Identifier: BSD-2-Clause
// The ends of a link for frames that their sender has not completed: for those who do the rest, and
// for those who have told the other end that they take it as it is.
#pragma once

#include <nacre/net/end.h>

// For the receiver: what it takes from now on. A frame that was sent before may need other work.
static inline void net_take_work(struct net_receiver *receiver, uint32_t takes) {
	__atomic_store_n(receiver->takes, takes, __ATOMIC_RELAXED);
}

// For the sender: what the receiver takes now.
ABI_MUST_USE static inline uint32_t net_work_taken(const struct net_sender *sender) {
	return __atomic_load_n(sender->takes, __ATOMIC_RELAXED);
}

// Where the bytes of a frame begin, of which that is the first buffer.
ABI_MUST_USE static inline uint8_t *net_bytes(const struct net_sender *sender, unsigned buffer) {
	return (uint8_t *)sender->buffers + (size_t)buffer * NET_BUFFER_SIZE;
}

// Buffers that follow each other, for a frame of that length: the first of them, or NET_NO_BUFFER.
// Several come from the upper end, as single ones come from the lower.
ABI_MUST_USE static inline int net_take_run(struct net_sender *sender, uint32_t length) {
	uint32_t count = net_count(length);
	uint64_t starts; // of runs that are free
	uint32_t step;
	int buffer;

	if (count == 1) return net_take(sender);
	net_reclaim(sender);
	starts = sender->free;
	for (uint32_t have = 1; have < count; have += step) {
		step = have < count - have ? have : count - have;
		starts &= starts >> step;
	}
	if (starts == 0) return NET_NO_BUFFER;
	buffer = 63 - __builtin_clzl(starts);
	sender->free &= ~net_run((uint32_t)buffer, length);
	return buffer;
}

// Sends taken buffers with a frame that needs the work of its header.
static inline void net_send_large(struct net_sender *sender, unsigned buffer,
	const struct net_header *header, uint32_t length) {
	(*sender->headers)[buffer] = *header;
	net_send(sender, buffer, length | NET_UNFINISHED);
}

// Each word is read once.
static inline struct net_header net_header_read(const struct net_header *place) {
	struct net_header_words {
		uint64_t most;
		uint16_t rest;
	} __attribute__((packed, may_alias));
	const volatile struct net_header_words *words = (const struct net_header_words *)place;
	struct net_header_words copy;
	struct net_header header;

	ABI_ASSERT(sizeof(copy) == sizeof(header));
	copy.most = words->most;
	copy.rest = words->rest;
	__builtin_memcpy(&header, &copy, sizeof(header));
	return header;
}

// The work that a header leaves, as enum net_work says.
ABI_MUST_USE static inline uint32_t net_needs(const struct net_header *header) {
	uint32_t needs = header->flags & NET_NEEDS_CHECKSUM ? NET_CHECKSUM : 0;

	switch (header->kind & ~NET_SEGMENTS_ECN) {
	case NET_SEGMENTS_NONE: break;
	case NET_SEGMENTS_TCP4: needs |= NET_TCP4; break;
	case NET_SEGMENTS_TCP6: needs |= NET_TCP6; break;
	default: needs |= NET_UNKNOWN; break;
	}
	return header->kind & NET_SEGMENTS_ECN ? needs | NET_ECN : needs;
}

// As net_receive, with frames that are not complete, whose length is up to NET_LARGE_MAX if they
// are to be cut into segments. What else the header says is not checked.
ABI_MUST_USE static inline bool net_receive_large(
	struct net_receiver *receiver, struct net_frame *frame, struct net_header *header) {
	const struct net_header empty = {0, 0, 0, 0, 0, 0};
	struct net_item item;

	while (ring_get(&receiver->filled, &item)) {
		uint32_t length = item.length & ~NET_UNFINISHED;
		uint32_t most;

		if (item.buffer >= NET_BUFFERS) continue;
		*header = empty;
		if (length != item.length)
			*header = net_header_read(&(*receiver->headers)[item.buffer]);
		most = header->kind == NET_SEGMENTS_NONE ? NET_FRAME_MAX : NET_LARGE_MAX;
		if (length >= NET_FRAME_MIN && length <= most &&
			net_run(item.buffer, length) != 0) {
			frame->buffer = item.buffer;
			frame->length = length;
			frame->bytes = (*receiver->buffers)[item.buffer];
			return true;
		}
		receiver->notify_due |= ring_put(&receiver->returned, &item);
	}
	return false;
}
