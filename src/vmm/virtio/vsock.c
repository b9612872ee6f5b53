// SPDX-License-Identifier: BSD-2-Clause
// The socket device: packets of the guest, and those for it.
#include <vmm/virtio/vsock.h>

#include <base/bits.h>

enum {
	PLACES = 128,
	HEADER = sizeof(struct virtio_vsock_header),
	TOLD_EVERY = VSOCK_BUFFER / 2, // bytes that the guest may send again, before it gets word
};

static struct vsock *vsock_of(struct virtio_device *device) { return (struct vsock *)device; }

static struct vsock_stream *find(struct vsock *vsock, const struct virtio_vsock_header *packet) {
	if (packet->dst_cid != VIRTIO_VSOCK_HOST || packet->type != VIRTIO_VSOCK_STREAM)
		return NULL;
	for (unsigned i = 0; i < vsock->stream_count; i++)
		if (vsock->streams[i].port == packet->dst_port) return &vsock->streams[i];
	return NULL;
}

// From the guest

static void refuse(struct vsock *vsock, const struct virtio_vsock_header *packet) {
	if (packet->operation == VIRTIO_VSOCK_RST) return;
	vsock->resets[vsock->reset_count++] = (struct vsock_reset){
		packet->dst_cid, packet->dst_port, packet->src_port};
}

static void reset_stream(struct vsock_stream *stream) {
	vsock_stream_drop(stream);
	stream->packets = BIT(VIRTIO_VSOCK_RST);
}

// A guest that sends more than it was allowed to loses the connection.
static void take_bytes(
	struct vsock_stream *stream, const struct virtio_chain *chain, uint32_t length) {
	if (length > chain->readable_bytes - HEADER || length > vsock_stream_room(stream))
		reset_stream(stream);
	else if (stream->state == VSOCK_OPEN)
		vsock_stream_receive(stream, chain, HEADER, length);
}

static void shut_down(struct vsock_stream *stream, uint32_t flags) {
	if (flags & VIRTIO_VSOCK_NO_RECEIVE) stream->deaf = true;
	if (flags & VIRTIO_VSOCK_NO_SEND) vsock_stream_end(stream);
	if ((flags & VIRTIO_VSOCK_NOTHING) != VIRTIO_VSOCK_NOTHING) return;
	// The guest waits for the other side's consent (5.10.6.5).
	stream->state = VSOCK_NONE;
	stream->packets = BIT(VIRTIO_VSOCK_RST);
}

static void take_packet(struct vsock_stream *stream, const struct virtio_chain *chain,
	const struct virtio_vsock_header *packet) {
	stream->guest_buffer = packet->buf_alloc;
	stream->guest_forwarded = packet->fwd_cnt;
	switch (packet->operation) {
	case VIRTIO_VSOCK_RESPONSE:
		if (stream->state == VSOCK_CALLED) vsock_stream_join(stream);
		break;
	case VIRTIO_VSOCK_RST: vsock_stream_drop(stream); break;
	case VIRTIO_VSOCK_SHUTDOWN: shut_down(stream, packet->flags); break;
	case VIRTIO_VSOCK_RW: take_bytes(stream, chain, packet->length); break;
	case VIRTIO_VSOCK_CREDIT_UPDATE: break;
	case VIRTIO_VSOCK_CREDIT_REQUEST: stream->packets |= BIT(VIRTIO_VSOCK_CREDIT_UPDATE); break;
	default: reset_stream(stream); break;
	}
}

static void begin(struct vsock *vsock, struct vsock_stream *stream,
	const struct virtio_vsock_header *packet) {
	if (!stream || stream->joined || stream->state != VSOCK_NONE || stream->packets != 0) {
		refuse(vsock, packet);
		return;
	}
	vsock_stream_begin(stream, packet->src_port);
	stream->guest_buffer = packet->buf_alloc;
	stream->guest_forwarded = packet->fwd_cnt;
}

static void take_chain(struct vsock *vsock) {
	const struct virtio_chain *chain = &vsock->chain;
	struct virtio_vsock_header packet;
	struct vsock_stream *stream;

	if (virtio_chain_read(chain, 0, &packet, HEADER) < HEADER) {
		virtio_break(&vsock->device, "a packet without header");
		return;
	}
	if (packet.src_cid != vsock->config.guest_cid) return;
	stream = find(vsock, &packet);
	if (packet.operation == VIRTIO_VSOCK_REQUEST)
		begin(vsock, stream, &packet);
	else if (stream && stream->state != VSOCK_NONE && stream->guest_port == packet.src_port)
		take_packet(stream, chain, &packet);
	else
		refuse(vsock, &packet);
}

// The guest's packets wait while answers do.
static void transmit(struct vsock *vsock) {
	struct virtqueue *queue = &vsock->queues[VIRTIO_VSOCK_TRANSMIT];

	while (vsock->reset_count < VSOCK_RESETS && virtqueue_take(queue, &vsock->chain)) {
		struct virtqueue_token token = vsock->chain.token;

		take_chain(vsock);
		virtqueue_put(queue, token, 0);
	}
	virtqueue_signal(queue);
}

// To the guest

// Sends a packet; false when the guest is out of buffers.
static bool send(struct vsock *vsock, struct virtio_vsock_header *packet, const uint8_t *bytes) {
	struct virtqueue *queue = &vsock->queues[VIRTIO_VSOCK_RECEIVE];

	if (!virtqueue_take(queue, &vsock->chain)) return false;
	if (vsock->chain.writable_bytes <= HEADER) {
		virtio_break(&vsock->device, "a receive buffer without room for a packet");
		return false;
	}
	if (packet->length > vsock->chain.writable_bytes - HEADER)
		packet->length = (uint32_t)vsock->chain.writable_bytes - HEADER;
	packet->dst_cid = vsock->config.guest_cid;
	packet->type = VIRTIO_VSOCK_STREAM;
	(void)virtio_chain_write(&vsock->chain, 0, packet, HEADER);
	if (packet->length > 0)
		(void)virtio_chain_write(&vsock->chain, HEADER, bytes, packet->length);
	virtqueue_put(queue, vsock->chain.token, HEADER + packet->length);
	return true;
}

static void send_resets(struct vsock *vsock) {
	for (; vsock->reset_count > 0; vsock->reset_count--) {
		const struct vsock_reset *reset = &vsock->resets[vsock->reset_count - 1];
		struct virtio_vsock_header packet = {
			.src_cid = reset->cid,
			.src_port = reset->port,
			.dst_port = reset->guest_port,
			.operation = VIRTIO_VSOCK_RST,
		};

		if (!send(vsock, &packet, NULL)) return;
	}
}

// Sends `length` bytes at most, as part of an operation; the number of them, or -1 when the guest
// is out of buffers.
static int64_t send_from(struct vsock *vsock, struct vsock_stream *stream,
	enum virtio_vsock_operation operation, const uint8_t *bytes, uint32_t length) {
	struct virtio_vsock_header packet = {
		.src_cid = VIRTIO_VSOCK_HOST,
		.src_port = stream->port,
		.dst_port = stream->guest_port,
		.length = length,
		.operation = (uint16_t)operation,
		.flags = operation == VIRTIO_VSOCK_SHUTDOWN ? VIRTIO_VSOCK_NOTHING : 0,
		.buf_alloc = VSOCK_BUFFER,
		.fwd_cnt = stream->forwarded,
	};

	if (!send(vsock, &packet, bytes)) return -1;
	stream->told = stream->forwarded;
	return packet.length;
}

static bool send_packets(struct vsock *vsock, struct vsock_stream *stream) {
	for (; stream->packets != 0; stream->packets &= stream->packets - 1)
		if (send_from(vsock, stream,
			    (enum virtio_vsock_operation)bits_lowest(stream->packets), NULL, 0) < 0)
			return false;
	return true;
}

// Bytes that the guest has room for.
static uint32_t credit(const struct vsock_stream *stream) {
	uint32_t under_way = stream->sent - stream->guest_forwarded;

	if (stream->state != VSOCK_OPEN || under_way >= stream->guest_buffer) return 0;
	return stream->guest_buffer - under_way;
}

// The component's messages to the guest, as long as it has buffers and room.
static void feed(struct vsock *vsock, struct vsock_stream *stream) {
	struct stream_message message;

	while (send_packets(vsock, stream)) {
		uint32_t length = vsock_stream_peek(stream, &message);
		uint32_t room = credit(stream);
		int64_t count;

		if (stream->packets != 0) continue;
		if (length == 0 || room == 0) return;
		count = send_from(vsock, stream, VIRTIO_VSOCK_RW, message.bytes + stream->taken,
			length < room ? length : room);
		if (count < 0) return;
		vsock_stream_skip(stream, &message, (uint32_t)count);
	}
}

static bool serve(struct vsock *vsock, struct vsock_stream *stream) {
	vsock_stream_pass(stream);
	if (stream->state == VSOCK_OPEN && stream->forwarded - stream->told >= TOLD_EVERY)
		stream->packets |= BIT(VIRTIO_VSOCK_CREDIT_UPDATE);
	if (virtio_works(&vsock->device)) feed(vsock, stream);
	return vsock_stream_rest(stream);
}

void vsock_notified(void *context) {
	struct vsock *vsock = context;
	bool rest;

	do {
		rest = true;
		transmit(vsock);
		send_resets(vsock);
		for (unsigned i = 0; i < vsock->stream_count; i++)
			rest = serve(vsock, &vsock->streams[i]) && rest;
		virtqueue_signal(&vsock->queues[VIRTIO_VSOCK_RECEIVE]);
	} while (!rest);
}

static void vsock_queue_notified(struct virtio_device *device, struct virtqueue *) {
	vsock_notified(vsock_of(device));
}

// Components learn that their connections have ended.
static void vsock_reset(struct virtio_device *device) {
	struct vsock *vsock = vsock_of(device);

	vsock->reset_count = 0;
	for (unsigned i = 0; i < vsock->stream_count; i++)
		vsock_stream_drop(&vsock->streams[i]);
	vsock_notified(vsock);
}

static const struct virtio_ops vsock_ops = {
	.name = "vsock",
	.id = VIRTIO_ID_VSOCK,
	.reset = vsock_reset,
	.notified = vsock_queue_notified,
};

bool vsock_init(struct vsock *vsock, uint64_t guest_cid) {
	for (unsigned i = 0; i < VSOCK_QUEUES; i++)
		vsock->queues[i].maximum = PLACES;
	vsock->config.guest_cid = guest_cid;
	vsock->device.ops = &vsock_ops;
	vsock->device.offered = VIRTIO_VSOCK_F_STREAM;
	vsock->device.queues = vsock->queues;
	vsock->device.queue_count = VSOCK_QUEUES;
	vsock->device.config = &vsock->config;
	vsock->device.config_size = sizeof(vsock->config);
	for (unsigned i = 0; i < vsock->stream_count; i++)
		if (!stream_serve(&vsock->streams[i].end, vsock->streams[i].region)) return false;
	return true;
}
