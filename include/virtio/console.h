// SPDX-License-Identifier: BSD-2-Clause
// The console device (virtio 1.2, 5.3).
#pragma once

#include <virtio/virtio.h>

// Features (5.3.3).
#define VIRTIO_CONSOLE_F_SIZE (1ull << 0)
#define VIRTIO_CONSOLE_F_MULTIPORT (1ull << 1)
#define VIRTIO_CONSOLE_F_EMERG_WRITE (1ull << 2)

// 5.3.4.
struct virtio_console_config {
	uint16_t cols, rows;
	uint32_t max_nr_ports;
	uint32_t emerg_wr;
};

ABI_ASSERT(sizeof(struct virtio_console_config) == 12);

// Queues (5.3.2). Port n > 0 has the queues 2 n + 2 and 2 n + 3.
enum virtio_console_queue {
	VIRTIO_CONSOLE_RECEIVE = 0,
	VIRTIO_CONSOLE_TRANSMIT = 1,
	VIRTIO_CONSOLE_CONTROL_RECEIVE = 2,
	VIRTIO_CONSOLE_CONTROL_TRANSMIT = 3,
};

// Messages of the control queues (5.3.6.2).
enum virtio_console_event {
	VIRTIO_CONSOLE_DEVICE_READY = 0,
	VIRTIO_CONSOLE_DEVICE_ADD = 1,
	VIRTIO_CONSOLE_DEVICE_REMOVE = 2,
	VIRTIO_CONSOLE_PORT_READY = 3,
	VIRTIO_CONSOLE_CONSOLE_PORT = 4,
	VIRTIO_CONSOLE_RESIZE = 5, // followed by columns and rows, two bytes each
	VIRTIO_CONSOLE_PORT_OPEN = 6,
	VIRTIO_CONSOLE_PORT_NAME = 7, // followed by the name
};

struct virtio_console_control {
	uint32_t id;
	uint16_t event;
	uint16_t value;
};

ABI_ASSERT(sizeof(struct virtio_console_control) == 8);
