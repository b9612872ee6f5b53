// SPDX-License-Identifier: BSD-2-Clause
// The socket device (virtio 1.2, 5.10): streams between the guest and native components, each of
// which has a port of the host and one connection at a time.
#pragma once

#include <vmm/virtio/queue.h>

#include <nacre/protocol/stream.h>
#include <virtio/vsock.h>

enum {
	VSOCK_QUEUES = 3,
	VSOCK_STREAMS = 4,
	VSOCK_BUFFER = 8192, // bytes that the guest may send before a component has taken them
	VSOCK_RESETS = 16,
};

// The connection as the guest sees it.
enum vsock_state {
	VSOCK_NONE,
	VSOCK_ASKING, // the guest waits for the component's consent
	VSOCK_CALLED, // the component waits for the guest's
	VSOCK_OPEN,
	VSOCK_SHUT, // the guest knows that the component has closed it
};

struct vsock_stream {
	uint32_t port; // of the host
	struct stream *region; // shared with the component
	void (*signal)(void *context); // notifies it
	void *context;

	struct stream_end end;
	enum vsock_state state;
	uint32_t guest_port;
	uint8_t packets; // bit k: enum virtio_vsock_operation k is to be sent to the guest
	bool joined; // the component has been asked, or has asked; until both sides have closed
	bool open_due, close_due; // messages for the component
	bool close_sent, close_taken; // to the component, from it
	bool deaf; // the guest takes no more bytes
	uint32_t taken; // bytes of the message of the component that is next
	bool unsignalled; // messages were put or taken
	// Bytes to the guest: sent, and what the guest said of its buffer.
	uint32_t sent, guest_buffer, guest_forwarded;
	// Bytes from the guest: received into the buffer, passed on, and as the guest knows.
	uint32_t received, forwarded, told;
	uint8_t buffer[VSOCK_BUFFER];
};

// A connection that the guest believes in, and that does not exist.
struct vsock_reset {
	uint64_t cid; // as whom to answer
	uint32_t port, guest_port;
};

struct vsock {
	struct virtio_device device;
	struct virtqueue queues[VSOCK_QUEUES];
	struct virtio_vsock_config config;
	unsigned stream_count;
	struct vsock_stream streams[VSOCK_STREAMS];
	unsigned reset_count;
	struct vsock_reset resets[VSOCK_RESETS];
	struct virtio_chain chain; // the one being served
};

// Prepares the device; the streams have ports and regions. False when a stream has no region.
// Memory and transport are still to be set.
[[nodiscard]] bool vsock_init(struct vsock *vsock, uint64_t guest_cid);
// A component has notified.
void vsock_notified(void *vsock);

// For vsock.c, in vsock_stream.c: a connection, and the messages between it and its component.

// The guest asks for a connection.
void vsock_stream_begin(struct vsock_stream *stream, uint32_t guest_port);
// The guest has consented.
void vsock_stream_join(struct vsock_stream *stream);
// The guest knows of no connection any more; its bytes are of no use.
void vsock_stream_drop(struct vsock_stream *stream);
// The guest sends no more; what it sent is still passed on.
void vsock_stream_end(struct vsock_stream *stream);
// Bytes that the guest may send.
[[nodiscard]] uint32_t vsock_stream_room(const struct vsock_stream *stream);
// Takes bytes of a chain's readable part that fit.
void vsock_stream_receive(struct vsock_stream *stream, const struct virtio_chain *chain,
	uint64_t offset, uint32_t length);
// Passes on to the component what it has room for.
void vsock_stream_pass(struct vsock_stream *stream);
// The component's next bytes for the guest, if there are any; messages before them are obeyed.
// Returns their number.
[[nodiscard]] uint32_t vsock_stream_peek(
	struct vsock_stream *stream, struct stream_message *message);
// So many of those went to the guest, which may not be all.
void vsock_stream_skip(
	struct vsock_stream *stream, const struct stream_message *message, uint32_t count);
// Notifies the component of all that. False when there is more to do now.
[[nodiscard]] bool vsock_stream_rest(struct vsock_stream *stream);
