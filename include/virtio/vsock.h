// SPDX-License-Identifier: BSD-2-Clause
// The socket device (virtio 1.2, 5.10).
#pragma once

#include <virtio/virtio.h>

#define VIRTIO_VSOCK_F_STREAM (1ull << 0)

struct virtio_vsock_config {
	uint64_t guest_cid;
};

enum {
	VIRTIO_VSOCK_HOST = 2, // CID of the host
	VIRTIO_VSOCK_STREAM = 1, // the type of socket
};

// Queues (5.10.2).
enum virtio_vsock_queue {
	VIRTIO_VSOCK_RECEIVE = 0,
	VIRTIO_VSOCK_TRANSMIT = 1,
	VIRTIO_VSOCK_EVENT = 2,
};

// 5.10.6.
enum virtio_vsock_operation {
	VIRTIO_VSOCK_REQUEST = 1,
	VIRTIO_VSOCK_RESPONSE = 2,
	VIRTIO_VSOCK_RST = 3,
	VIRTIO_VSOCK_SHUTDOWN = 4,
	VIRTIO_VSOCK_RW = 5,
	VIRTIO_VSOCK_CREDIT_UPDATE = 6,
	VIRTIO_VSOCK_CREDIT_REQUEST = 7,
};

// Of SHUTDOWN.
enum virtio_vsock_flag {
	VIRTIO_VSOCK_NO_RECEIVE = 1,
	VIRTIO_VSOCK_NO_SEND = 2,
	VIRTIO_VSOCK_NOTHING = 3,
};

struct virtio_vsock_header {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t length; // of the data that follow
	uint16_t type;
	uint16_t operation;
	uint32_t flags;
	uint32_t buf_alloc; // bytes that the sender can hold for this connection
	uint32_t fwd_cnt; // bytes that it has passed on
} __attribute__((packed));

ABI_ASSERT(sizeof(struct virtio_vsock_header) == 44);
