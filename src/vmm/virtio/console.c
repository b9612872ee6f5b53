// SPDX-License-Identifier: BSD-2-Clause
// The console device: bytes of its ports, and messages about them.
#include <vmm/virtio/console.h>

#include <base/bits.h>
#include <base/memory.h>

enum {
	PLACES = 64,
	FIRST_PORT = 0,
	BURST = 4096, // bytes of a port at a time: no guest and no other end keeps the monitor
	EMERGENCY = 8, // offset of emerg_wr
};

static struct virtio_console *console_of(struct virtio_device *device) {
	return (struct virtio_console *)device;
}

static bool has_ports(const struct virtio_console *console) {
	return virtio_has(&console->device, VIRTIO_CONSOLE_F_MULTIPORT);
}

// A port's first queue, of two.
static unsigned queue_of(unsigned port) {
	return port == FIRST_PORT ? VIRTIO_CONSOLE_RECEIVE : 2 * port + 2;
}

// Output

// Sends what the chain has left; false when the back end is full, or the burst at its end.
static bool send_chain(
	const struct virtio_chain *chain, struct console_port *port, uint32_t *burst) {
	const struct uart_backend *backend = &port->backend;
	uint8_t byte;

	for (; virtio_chain_read(chain, port->sent, &byte, 1) == 1; port->sent++) {
		if (*burst == 0 || !backend->ready(backend->context)) return false;
		--*burst;
		backend->put(backend->context, byte);
	}
	return true;
}

static void transmit(struct virtio_console *console, unsigned number) {
	struct console_port *port = &console->ports[number];
	struct virtqueue *queue = &console->queues[queue_of(number) + 1];
	struct virtio_chain *chain = &console->chain;
	uint32_t burst = BURST;

	port->blocked = false;
	while (virtqueue_take(queue, chain)) {
		if (!send_chain(chain, port, &burst)) {
			virtqueue_untake(queue, chain->token);
			port->blocked = true;
			break;
		}
		port->sent = 0;
		virtqueue_put(queue, chain->token, 0);
	}
	virtqueue_signal(queue);
}

// Input

static bool has_input(struct console_port *port) {
	if (!port->has_byte) port->has_byte = port->backend.get(port->backend.context, &port->byte);
	return port->has_byte;
}

static uint32_t fill_chain(
	const struct virtio_chain *chain, struct console_port *port, uint32_t *burst) {
	uint32_t done = 0;

	for (; *burst > 0 && done < chain->writable_bytes && has_input(port); --*burst) {
		done += virtio_chain_write(chain, done, &port->byte, 1);
		port->has_byte = false;
	}
	return done;
}

// Input for a port that the guest has not opened waits.
static void receive(struct virtio_console *console, unsigned number) {
	struct console_port *port = &console->ports[number];
	struct virtqueue *queue = &console->queues[queue_of(number)];
	struct virtio_chain *chain = &console->chain;
	uint32_t burst = BURST;

	port->unread = false;
	if (!port->open && has_ports(console)) return;
	while (burst > 0 && has_input(port) && virtqueue_take(queue, chain))
		virtqueue_put(queue, chain->token, fill_chain(chain, port, &burst));
	port->unread = burst == 0;
	virtqueue_signal(queue);
}

// Messages

// What follows the head of a message.
static uint32_t message_body(
	const struct console_port *port, enum virtio_console_event event, uint8_t *body) {
	const uint16_t window[] = {port->columns, port->rows};
	uint32_t length = 0;

	if (event == VIRTIO_CONSOLE_RESIZE) {
		memcpy(body, window, sizeof(window));
		return sizeof(window);
	}
	if (event != VIRTIO_CONSOLE_PORT_NAME) return 0;
	for (; length < CONSOLE_NAME && port->name[length] != '\0'; length++)
		body[length] = (uint8_t)port->name[length];
	return length;
}

static bool send_message(
	struct virtio_console *console, unsigned number, enum virtio_console_event event) {
	struct virtqueue *queue = &console->queues[VIRTIO_CONSOLE_CONTROL_RECEIVE];
	struct {
		struct virtio_console_control head;
		uint8_t body[CONSOLE_NAME];
	} message = {{number, (uint16_t)event, 1}, {0}};
	uint32_t length = message_body(&console->ports[number], event, message.body);

	if (!virtqueue_take(queue, &console->chain)) return false;
	length += sizeof(message.head);
	length = virtio_chain_write(&console->chain, 0, &message, length);
	virtqueue_put(queue, console->chain.token, length);
	return true;
}

// In the order of their numbers: a port is added before it is described.
static bool send_messages_of(struct virtio_console *console, unsigned number) {
	struct console_port *port = &console->ports[number];

	for (; port->messages != 0; port->messages &= port->messages - 1)
		if (!send_message(console, number,
			    (enum virtio_console_event)bits_lowest(port->messages)))
			return false;
	return true;
}

static void send_messages(struct virtio_console *console) {
	unsigned number = 0;

	while (number < console->port_count && send_messages_of(console, number))
		number++;
	virtqueue_signal(&console->queues[VIRTIO_CONSOLE_CONTROL_RECEIVE]);
}

static uint8_t description(const struct virtio_console *console, unsigned port) {
	uint8_t messages = BIT(VIRTIO_CONSOLE_PORT_OPEN);

	if (console->ports[port].name) messages |= BIT(VIRTIO_CONSOLE_PORT_NAME);
	if (port == FIRST_PORT) messages |= BIT(VIRTIO_CONSOLE_CONSOLE_PORT);
	if (console->ports[port].columns != 0) messages |= BIT(VIRTIO_CONSOLE_RESIZE);
	return messages;
}

static void take_message(
	struct virtio_console *console, const struct virtio_console_control *message) {
	if (message->event == VIRTIO_CONSOLE_DEVICE_READY && message->value == 1)
		for (unsigned i = 0; i < console->port_count; i++)
			console->ports[i].messages = BIT(VIRTIO_CONSOLE_DEVICE_ADD);
	if (message->id >= console->port_count) return;
	if (message->event == VIRTIO_CONSOLE_PORT_READY && message->value == 1)
		console->ports[message->id].messages |= description(console, message->id);
	if (message->event == VIRTIO_CONSOLE_PORT_OPEN) {
		console->ports[message->id].open = message->value == 1;
		receive(console, message->id);
	}
}

static void take_messages(struct virtio_console *console) {
	struct virtqueue *queue = &console->queues[VIRTIO_CONSOLE_CONTROL_TRANSMIT];
	struct virtio_console_control message;

	while (virtqueue_take(queue, &console->chain)) {
		struct virtqueue_token token = console->chain.token;
		uint32_t length = virtio_chain_read(&console->chain, 0, &message, sizeof(message));

		virtqueue_put(queue, token, 0);
		if (length == sizeof(message)) take_message(console, &message);
	}
	virtqueue_signal(queue);
	send_messages(console);
}

static void console_notified(struct virtio_device *device, struct virtqueue *queue) {
	struct virtio_console *console = console_of(device);
	unsigned number = (unsigned)(queue - console->queues);
	unsigned port = number < VIRTIO_CONSOLE_CONTROL_RECEIVE ? FIRST_PORT : (number - 2) / 2;

	if (number == VIRTIO_CONSOLE_CONTROL_RECEIVE)
		send_messages(console);
	else if (number == VIRTIO_CONSOLE_CONTROL_TRANSMIT)
		take_messages(console);
	else if (number % 2 == 0)
		receive(console, port);
	else
		transmit(console, port);
}

void virtio_console_receive(struct virtio_console *console) {
	for (unsigned i = 0; i < console->port_count; i++)
		receive(console, i);
}

void virtio_console_retry(struct virtio_console *console) {
	for (unsigned i = 0; i < console->port_count; i++) {
		if (console->ports[i].blocked) transmit(console, i);
		if (console->ports[i].unread) receive(console, i);
	}
}

bool virtio_console_blocked(const struct virtio_console *console) {
	for (unsigned i = 0; i < console->port_count; i++)
		if (console->ports[i].blocked || console->ports[i].unread) return true;
	return false;
}

static void show_window(struct virtio_console *console) {
	console->config.cols = console->ports[FIRST_PORT].columns;
	console->config.rows = console->ports[FIRST_PORT].rows;
}

void virtio_console_resize(
	struct virtio_console *console, unsigned port, uint16_t columns, uint16_t rows) {
	console->ports[port].columns = columns;
	console->ports[port].rows = rows;
	if (has_ports(console)) {
		console->ports[port].messages |= BIT(VIRTIO_CONSOLE_RESIZE);
		send_messages(console);
	}
	if (port != FIRST_PORT) return;
	show_window(console);
	if (virtio_has(&console->device, VIRTIO_CONSOLE_F_SIZE))
		virtio_config_changed(&console->device);
}

static void console_reset(struct virtio_device *device) {
	struct virtio_console *console = console_of(device);

	for (unsigned i = 0; i < console->port_count; i++) {
		struct console_port *port = &console->ports[i];

		port->open = false;
		port->blocked = false;
		port->unread = false;
		port->sent = 0;
		port->messages = 0;
	}
}

// A guest that cannot do anything else writes a byte here (5.3.6.1).
static void console_configured(struct virtio_device *device) {
	struct virtio_console *console = console_of(device);
	const struct uart_backend *backend = &console->ports[FIRST_PORT].backend;

	if (backend->ready(backend->context))
		backend->put(backend->context, (uint8_t)console->config.emerg_wr);
}

static const struct virtio_ops console_ops = {
	.name = "console",
	.id = VIRTIO_ID_CONSOLE,
	.writable = EMERGENCY,
	.writable_end = sizeof(struct virtio_console_config),
	.reset = console_reset,
	.configured = console_configured,
	.notified = console_notified,
};

void virtio_console_init(struct virtio_console *console) {
	for (unsigned i = 0; i < CONSOLE_QUEUES; i++)
		console->queues[i].maximum = PLACES;
	console->config.max_nr_ports = console->port_count;
	show_window(console);
	console->device.ops = &console_ops;
	console->device.offered = VIRTIO_CONSOLE_F_SIZE | VIRTIO_CONSOLE_F_MULTIPORT |
		VIRTIO_CONSOLE_F_EMERG_WRITE;
	console->device.queues = console->queues;
	console->device.queue_count = (uint16_t)(2 * console->port_count + 2);
	console->device.config = &console->config;
	console->device.config_size = sizeof(console->config);
}
