// SPDX-License-Identifier: BSD-2-Clause
// A connection of the socket device, between the guest and a native component.
#include <vmm/virtio/vsock.h>

#include <base/bits.h>
#include <base/memory.h>

static bool put(
	struct vsock_stream *stream, enum stream_kind kind, const uint8_t *bytes, uint32_t length) {
	struct stream_message message = {
		.kind = (uint16_t)kind, .length = (uint16_t)length, .port = stream->guest_port};

	if (length > 0) memcpy(message.bytes, bytes, length);
	if (!ring_put(&stream->end.out, &message)) return false;
	stream->unsignalled = true;
	return true;
}

// When both sides have closed a connection, there can be another.
static void settle(struct vsock_stream *stream) {
	if (!stream->close_sent || !stream->close_taken) return;
	stream->joined = false;
	stream->close_sent = false;
	stream->close_taken = false;
}

void vsock_stream_end(struct vsock_stream *stream) {
	stream->close_due = stream->joined && !stream->close_sent;
}

void vsock_stream_drop(struct vsock_stream *stream) {
	stream->state = VSOCK_NONE;
	stream->packets = 0;
	stream->forwarded = stream->received;
	vsock_stream_end(stream);
}

static void join(struct vsock_stream *stream, enum vsock_state state, uint32_t guest_port) {
	stream->joined = true;
	stream->state = state;
	stream->guest_port = guest_port;
	stream->deaf = false;
	stream->sent = 0;
	stream->guest_buffer = 0;
	stream->guest_forwarded = 0;
	stream->received = 0;
	stream->forwarded = 0;
	stream->told = 0;
}

void vsock_stream_begin(struct vsock_stream *stream, uint32_t guest_port) {
	join(stream, VSOCK_ASKING, guest_port);
	stream->open_due = true;
}

void vsock_stream_join(struct vsock_stream *stream) {
	stream->state = VSOCK_OPEN;
	stream->open_due = true;
}

uint32_t vsock_stream_room(const struct vsock_stream *stream) {
	return VSOCK_BUFFER - (stream->received - stream->forwarded);
}

void vsock_stream_receive(struct vsock_stream *stream, const struct virtio_chain *chain,
	uint64_t offset, uint32_t length) {
	while (length > 0) {
		uint32_t place = stream->received % VSOCK_BUFFER;
		uint32_t count = VSOCK_BUFFER - place < length ? VSOCK_BUFFER - place : length;

		(void)virtio_chain_read(chain, offset, stream->buffer + place, count);
		stream->received += count;
		offset += count;
		length -= count;
	}
}

static bool pass_bytes(struct vsock_stream *stream) {
	while (stream->forwarded != stream->received) {
		uint32_t place = stream->forwarded % VSOCK_BUFFER;
		uint32_t count = stream->received - stream->forwarded;

		if (count > VSOCK_BUFFER - place) count = VSOCK_BUFFER - place;
		if (count > STREAM_BYTES) count = STREAM_BYTES;
		if (!put(stream, STREAM_DATA, stream->buffer + place, count)) return false;
		stream->forwarded += count;
	}
	return true;
}

void vsock_stream_pass(struct vsock_stream *stream) {
	if (stream->open_due && !put(stream, STREAM_OPEN, NULL, 0)) return;
	stream->open_due = false;
	if (!pass_bytes(stream)) return;
	if (stream->close_due && !put(stream, STREAM_CLOSE, NULL, 0)) return;
	stream->close_sent |= stream->close_due;
	stream->close_due = false;
	settle(stream);
}

static void opened(struct vsock_stream *stream, uint32_t guest_port) {
	if (stream->state == VSOCK_ASKING) {
		stream->state = VSOCK_OPEN;
		stream->packets |= BIT(VIRTIO_VSOCK_RESPONSE);
	} else if (!stream->joined && stream->state == VSOCK_NONE && stream->packets == 0) {
		join(stream, VSOCK_CALLED, guest_port);
		stream->packets |= BIT(VIRTIO_VSOCK_REQUEST);
	} else if (!stream->joined) {
		// The guest still has to close the connection before: refused.
		stream->joined = true;
		vsock_stream_end(stream);
	}
}

static void closed(struct vsock_stream *stream) {
	if (!stream->joined || stream->close_taken) return;
	stream->close_taken = true;
	if (stream->state == VSOCK_OPEN) {
		stream->state = VSOCK_SHUT;
		stream->packets |= BIT(VIRTIO_VSOCK_SHUTDOWN);
	} else if (stream->state == VSOCK_ASKING || stream->state == VSOCK_CALLED) {
		stream->state = VSOCK_NONE;
		stream->packets = BIT(VIRTIO_VSOCK_RST);
	}
	stream->forwarded = stream->received;
	vsock_stream_end(stream);
	vsock_stream_pass(stream);
}

static void skip(struct vsock_stream *stream) {
	ring_skip(&stream->end.in);
	stream->taken = 0;
	stream->unsignalled = true;
}

// Whether the guest will have the component's bytes; those that come too late it does not get.
static bool wants_bytes(const struct vsock_stream *stream) {
	return stream->joined && !stream->close_taken && !stream->deaf &&
		(stream->state == VSOCK_OPEN || stream->state == VSOCK_CALLED);
}

uint32_t vsock_stream_peek(struct vsock_stream *stream, struct stream_message *message) {
	for (; ring_peek(&stream->end.in, message); skip(stream)) {
		if (message->kind == STREAM_OPEN) {
			opened(stream, message->port);
		} else if (message->kind == STREAM_CLOSE) {
			closed(stream);
		} else if (message->kind == STREAM_DATA && wants_bytes(stream)) {
			if (message->length > STREAM_BYTES) message->length = STREAM_BYTES;
			if (message->length > stream->taken) return message->length - stream->taken;
		}
		// What the message changed goes to the guest before the next one does.
		if (stream->packets != 0 && message->kind != STREAM_DATA) {
			skip(stream);
			return 0;
		}
	}
	return 0;
}

void vsock_stream_skip(
	struct vsock_stream *stream, const struct stream_message *message, uint32_t count) {
	stream->sent += count;
	stream->taken += count;
	if (stream->taken >= message->length) skip(stream);
}

bool vsock_stream_rest(struct vsock_stream *stream) {
	struct ring_end *out = &stream->end.out;
	bool waits = stream->open_due || stream->close_due || stream->forwarded != stream->received;

	if (stream->unsignalled) {
		bool for_data = ring_must_notify(out);
		bool for_room = ring_must_notify_producer(&stream->end.in);

		if (for_data || for_room) stream->signal(stream->context);
	}
	stream->unsignalled = false;
	if (waits && !ring_may_wait(out)) return false;
	return ring_count(&stream->end.in) > 0 || ring_may_sleep(&stream->end.in);
}
