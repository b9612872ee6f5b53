// SPDX-License-Identifier: BSD-2-Clause
// The network device (virtio 1.2, 5.1).
#pragma once

#include <virtio/virtio.h>

// Features (5.1.3).
#define VIRTIO_NET_F_CSUM (1ull << 0)
#define VIRTIO_NET_F_GUEST_CSUM (1ull << 1)
#define VIRTIO_NET_F_CTRL_GUEST_OFFLOADS (1ull << 2)
#define VIRTIO_NET_F_MAC (1ull << 5)
#define VIRTIO_NET_F_GUEST_TSO4 (1ull << 7)
#define VIRTIO_NET_F_GUEST_TSO6 (1ull << 8)
#define VIRTIO_NET_F_GUEST_ECN (1ull << 9)
#define VIRTIO_NET_F_HOST_TSO4 (1ull << 11)
#define VIRTIO_NET_F_HOST_TSO6 (1ull << 12)
#define VIRTIO_NET_F_HOST_ECN (1ull << 13)
#define VIRTIO_NET_F_MRG_RXBUF (1ull << 15)
#define VIRTIO_NET_F_STATUS (1ull << 16)
#define VIRTIO_NET_F_CTRL_VQ (1ull << 17)
#define VIRTIO_NET_F_CTRL_RX (1ull << 18)

// 5.1.4.
struct virtio_net_config {
	uint8_t mac[6];
	uint16_t status;
	uint16_t max_virtqueue_pairs;
	uint16_t mtu;
};

ABI_ASSERT(sizeof(struct virtio_net_config) == 12);

enum {
	VIRTIO_NET_LINK_UP = 1, // of the status
};

// Queues (5.1.2).
enum virtio_net_queue {
	VIRTIO_NET_RECEIVE = 0,
	VIRTIO_NET_TRANSMIT = 1,
	VIRTIO_NET_CONTROL = 2,
};

// What stands before each packet (5.1.6).
struct virtio_net_header {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
	uint16_t num_buffers;
};

ABI_ASSERT(sizeof(struct virtio_net_header) == 12);

enum virtio_net_header_flag {
	VIRTIO_NET_NEEDS_CSUM = 1,
};

enum virtio_net_gso {
	VIRTIO_NET_GSO_NONE = 0,
	VIRTIO_NET_GSO_TCPV4 = 1,
	VIRTIO_NET_GSO_TCPV6 = 4,
	VIRTIO_NET_GSO_ECN = 0x80,
};

// A command of the control queue; its data and a byte for the answer follow (5.1.6.5).
struct virtio_net_command {
	uint8_t class;
	uint8_t command;
};

enum virtio_net_class {
	VIRTIO_NET_CLASS_RX = 0,
	VIRTIO_NET_CLASS_MAC = 1,
	VIRTIO_NET_CLASS_OFFLOADS = 5,
};

enum {
	VIRTIO_NET_RX_PROMISCUOUS = 0, // every frame is received
	VIRTIO_NET_RX_LAST = 5, // commands 0 to 5 switch a kind of filter on or off
	VIRTIO_NET_MAC_TABLE_SET = 0, // comes with VIRTIO_NET_F_CTRL_RX
	VIRTIO_NET_OFFLOADS_SET = 0, // features of the guest, eight bytes
	VIRTIO_NET_OK = 0,
	VIRTIO_NET_ERR = 1,
};
