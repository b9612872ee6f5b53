// SPDX-License-Identifier: BSD-2-Clause
// The console device (virtio 1.2, 5.3): ports of bytes, of which the first is the guest's console.
#pragma once

#include <vmm/device/uart.h>
#include <vmm/virtio/queue.h>

#include <virtio/console.h>

enum {
	CONSOLE_PORTS = 4,
	CONSOLE_QUEUES = 2 * CONSOLE_PORTS + 2,
	CONSOLE_NAME = 32,
};

struct console_port {
	struct uart_backend backend; // of serial ports, too
	const char *name; // as the guest's /dev/virtio-ports has it; at most CONSOLE_NAME bytes
	uint16_t columns, rows;
	bool open; // by the guest
	bool blocked; // there is output: the back end was full, or it was too much at a time
	bool unread; // there is input that was too much at a time
	uint64_t sent; // bytes of the chain that is next to be transmitted
	bool has_byte; // of input for which the guest had no buffer
	uint8_t byte;
	uint8_t messages; // bit k: enum virtio_console_event k is to be sent to the guest
};

struct virtio_console {
	struct virtio_device device;
	struct virtqueue queues[CONSOLE_QUEUES];
	struct virtio_console_config config;
	struct virtio_chain chain; // the one being served
	unsigned port_count;
	struct console_port ports[CONSOLE_PORTS];
};

// Prepares the device, whose ports have back ends and names. Memory and transport are still to be
// set.
void virtio_console_init(struct virtio_console *console);
// A back end has input.
void virtio_console_receive(struct virtio_console *console);
// Goes on with what a full back end, or too much at a time, has left.
void virtio_console_retry(struct virtio_console *console);
// Whether there is such work; a back end does not say when it has room.
[[nodiscard]] bool virtio_console_blocked(const struct virtio_console *console);
// The window of a port has another size.
void virtio_console_resize(
	struct virtio_console *console, unsigned port, uint16_t columns, uint16_t rows);
