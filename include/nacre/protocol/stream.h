// SPDX-License-Identifier: BSD-2-Clause
// The stream protocol: a connection of bytes between a program of a guest (its AF_VSOCK socket) and
// a native component. docs/reference/stream.md explains it. Component and monitor share one region
// and a notification channel; there is one connection at a time.
#pragma once

#include <abi/compiler.h>
#include <nacre/ring.h>

enum {
	STREAM_BYTES = 248, // of one message
	STREAM_CAPACITY = 64, // messages under way in a direction
};

enum stream_kind {
	STREAM_OPEN = 1, // from the one who begins, and as the other's consent
	STREAM_DATA = 2,
	STREAM_CLOSE = 3, // each side sends it once for each connection, as a refusal, too
};

struct stream_message {
	uint16_t kind;
	uint16_t length; // bytes of STREAM_DATA
	uint32_t port; // of STREAM_OPEN by the component: the guest's port
	uint8_t bytes[STREAM_BYTES];
};

ABI_ASSERT(sizeof(struct stream_message) == 256);

// Zeroed memory is a region without a connection.
struct stream {
	uint8_t out[RING_HEADER + STREAM_CAPACITY * sizeof(struct stream_message)]
		__attribute__((aligned(RING_LINE))); // monitor to component
	uint8_t in[RING_HEADER + STREAM_CAPACITY * sizeof(struct stream_message)]
		__attribute__((aligned(RING_LINE))); // component to monitor
};

ABI_ASSERT(sizeof(struct stream) <= 0x9000);

// One side's ends of the two rings.
struct stream_end {
	struct ring_end out; // what this side sends
	struct ring_end in;
};

ABI_MUST_USE static inline bool stream_attach(
	struct stream_end *end, uint8_t *out, uint8_t *in, size_t bytes) {
	return ring_attach_producer(&end->out, out, bytes, sizeof(struct stream_message)) &&
		ring_attach_consumer(&end->in, in, bytes, sizeof(struct stream_message));
}

// Component: once; false without a region. Then ring_put and ring_get, as for every ring.
ABI_MUST_USE static inline bool stream_open(struct stream_end *end, struct stream *stream) {
	return stream && stream_attach(end, stream->in, stream->out, sizeof(stream->in));
}

// Monitor: the same.
ABI_MUST_USE static inline bool stream_serve(struct stream_end *end, struct stream *stream) {
	return stream && stream_attach(end, stream->out, stream->in, sizeof(stream->in));
}
