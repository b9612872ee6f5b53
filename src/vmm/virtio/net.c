// SPDX-License-Identifier: BSD-2-Clause
// The network device: packets between the guest's buffers and a back end.
#include <vmm/virtio/net.h>

#include <base/memory.h>

enum {
	PLACES = 256,
	WAITS_PER_SECOND = 1000,
	WAIT_PACKETS = 8,
	HEADER = sizeof(struct virtio_net_header),
};

#define GUEST_OFFLOADS \
	(VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 | \
		VIRTIO_NET_F_GUEST_ECN)

static struct net *net_of(struct virtio_device *device) { return (struct net *)device; }

// Sending

// True when there was something.
static bool transmit(struct net *net) {
	struct virtqueue *queue = &net->queues[VIRTIO_NET_TRANSMIT];
	const struct net_backend *backend = &net->backend;
	struct virtio_net_header header;
	bool any = false;

	net->out_of_room = false;
	while (!net->out_of_room && virtqueue_take(queue, &net->chain)) {
		if (virtio_chain_read(&net->chain, 0, &header, HEADER) < HEADER) {
			virtio_break(&net->device, "a packet without header");
		} else if (backend->send(backend->context, &header, &net->chain)) {
			virtqueue_put(queue, net->chain.token, 0);
			any = true;
		} else {
			virtqueue_untake(queue, net->chain.token);
			net->out_of_room = true;
		}
	}
	virtqueue_signal(queue);
	return any;
}

// Receiving

static void untake_all(struct net *net, unsigned count) {
	while (count-- > 0)
		virtqueue_untake(&net->queues[VIRTIO_NET_RECEIVE], net->tokens[count]);
}

static void put_all(struct net *net, unsigned count) {
	net->packet.header.num_buffers = (uint16_t)count;
	(void)virtio_chain_write(&net->first, 0, &net->packet.header, HEADER);
	for (unsigned i = 0; i < count; i++)
		virtqueue_put(&net->queues[VIRTIO_NET_RECEIVE], net->tokens[i], net->written[i]);
}

// False when the guest is out of buffers. A packet that is too large for one buffer, where only one
// may be used, is dropped.
static bool deliver(struct net *net) {
	struct virtqueue *queue = &net->queues[VIRTIO_NET_RECEIVE];
	unsigned limit = virtio_has(&net->device, VIRTIO_NET_F_MRG_RXBUF) ? NET_MERGED : 1;
	uint32_t place = 0;
	unsigned count = 0;

	while (count == 0 || (place < net->packet.length && count < limit)) {
		struct virtio_chain *chain = count == 0 ? &net->first : &net->chain;
		uint32_t offset = count == 0 ? HEADER : 0;

		if (!virtqueue_take(queue, chain)) {
			untake_all(net, count);
			return false;
		}
		if (chain->writable_bytes < HEADER) {
			virtio_break(&net->device, "a receive buffer without room for a header");
			return false;
		}
		net->tokens[count] = chain->token;
		net->written[count] = offset +
			virtio_chain_write(chain, offset, net->packet.bytes + place,
				net->packet.length - place);
		place += net->written[count] - offset;
		count++;
	}
	if (place < net->packet.length)
		untake_all(net, count);
	else
		put_all(net, count);
	return true;
}

static void receive(struct net *net) {
	const struct net_backend *backend = &net->backend;

	net->out_of_buffers = !virtio_works(&net->device);
	while (!net->out_of_buffers && backend->peek(backend->context, &net->packet)) {
		net->burst.begun = false;
		if (deliver(net))
			backend->skip(backend->context);
		else
			net->out_of_buffers = true;
	}
	virtqueue_signal(&net->queues[VIRTIO_NET_RECEIVE]);
}

// What the guest sends; true when there was something. Frames that arrive notify.
static bool send_all(struct net *net) {
	const struct net_backend *backend = &net->backend;
	bool sent = false;

	do {
		sent |= transmit(net);
	} while (!backend->rest(backend->context, true, net->out_of_room));
	return sent;
}

// Packets of the guest that the driver does not notify of: they wait for room, or a burst goes on.
static bool packets_wait(const struct net *net) {
	return net->out_of_room || net->queues[VIRTIO_NET_TRANSMIT].polled;
}

void net_poll(struct net *net) {
	const struct net_backend *backend = &net->backend;

	do {
		if (packets_wait(net)) (void)transmit(net);
		receive(net);
	} while (!backend->rest(backend->context, net->out_of_buffers, net->out_of_room));
}

// Bursts: a guest notifies of each packet that is no longer than a segment, and each notification
// is an exit. Of the second one in a row more will follow. The driver is asked for no more then,
// and the queue is looked at after some time, when the guest idles, and when it receives a packet.

static void poll_transmit(struct net *net, bool polled, uint64_t due) {
	net->queues[VIRTIO_NET_TRANSMIT].polled = polled;
	net->burst.due = due;
}

static void count_notification(struct net *net) {
	struct net_burst *burst = &net->burst;
	uint64_t now = net->clock->read();
	uint64_t most = net->clock->hertz / WAITS_PER_SECOND;
	uint64_t passed = now - burst->notified;

	if (burst->begun && passed <= most) {
		burst->wait = passed * WAIT_PACKETS < most ? passed * WAIT_PACKETS : most;
		poll_transmit(net, true, now + burst->wait);
	}
	burst->begun = true;
	burst->notified = now;
}

void net_settle(struct net *net, bool idle) {
	struct net_burst *burst = &net->burst;
	uint64_t now;

	if (idle) burst->begun = false;
	if (burst->due == CLOCK_NEVER) return;
	now = net->clock->read();
	if (!idle && now < burst->due) return;
	if (!idle && send_all(net)) {
		burst->due = now + burst->wait;
		return;
	}
	// The driver notifies again, and what it has added before it knows that is found here.
	poll_transmit(net, false, CLOCK_NEVER);
	(void)send_all(net);
}

// Control

// Of the features that it has accepted the driver may switch some off, and on again (5.1.6.5,
// "Offloads State Configuration").
static bool set_offloads(struct net *net) {
	const struct virtio_device *device = &net->device;
	uint64_t wanted;

	if (!virtio_has(device, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) ||
		virtio_chain_read(&net->chain, sizeof(struct virtio_net_command), &wanted,
			sizeof(wanted)) < sizeof(wanted) ||
		(wanted & ~(device->features & GUEST_OFFLOADS)) != 0)
		return false;
	net->backend.agree(net->backend.context, (device->features & ~GUEST_OFFLOADS) | wanted);
	return true;
}

// The switch decides which packets come; filters and a table of addresses that let more pass than
// asked are allowed (5.1.6.5.1, 5.1.6.5.2), and less never comes.
static uint8_t command_answer(struct net *net) {
	const struct virtio_chain *chain = &net->chain;
	struct virtio_net_command command;
	uint8_t on;

	if (virtio_chain_read(chain, 0, &command, sizeof(command)) < sizeof(command) ||
		virtio_chain_read(chain, sizeof(command), &on, 1) < 1)
		return VIRTIO_NET_ERR;
	switch (command.class) {
	case VIRTIO_NET_CLASS_RX:
		return command.command <= VIRTIO_NET_RX_LAST ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
	case VIRTIO_NET_CLASS_MAC:
		return command.command == VIRTIO_NET_MAC_TABLE_SET ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
	case VIRTIO_NET_CLASS_OFFLOADS:
		return command.command == VIRTIO_NET_OFFLOADS_SET && set_offloads(net)
			? VIRTIO_NET_OK
			: VIRTIO_NET_ERR;
	default: return VIRTIO_NET_ERR;
	}
}

static void control(struct net *net) {
	struct virtqueue *queue = &net->queues[VIRTIO_NET_CONTROL];

	while (virtqueue_take(queue, &net->chain)) {
		uint8_t answer = command_answer(net);

		virtqueue_put(queue, net->chain.token,
			virtio_chain_write(&net->chain, 0, &answer, sizeof(answer)));
	}
	virtqueue_signal(queue);
}

static void net_notified(struct virtio_device *device, struct virtqueue *queue) {
	struct net *net = net_of(device);

	if (queue == &net->queues[VIRTIO_NET_CONTROL]) {
		control(net);
	} else if (queue == &net->queues[VIRTIO_NET_TRANSMIT]) {
		if (net->clock) count_notification(net);
		(void)send_all(net);
	} else {
		net_poll(net);
	}
}

void net_set_link(struct net *net, bool up) {
	net->config.status = up ? VIRTIO_NET_LINK_UP : 0;
	virtio_config_changed(&net->device);
}

static void net_reset(struct virtio_device *device) {
	struct net *net = net_of(device);

	net->burst = (struct net_burst){.due = CLOCK_NEVER};
	net->backend.agree(net->backend.context, 0);
}

// What arrived for another driver is dropped.
static void net_started(struct virtio_device *device) {
	struct net *net = net_of(device);
	const struct net_backend *backend = &net->backend;

	backend->agree(backend->context, device->features);
	while (backend->peek(backend->context, &net->packet))
		backend->skip(backend->context);
}

static const struct virtio_ops net_ops = {
	.name = "net",
	.id = VIRTIO_ID_NET,
	.reset = net_reset,
	.started = net_started,
	.notified = net_notified,
};

void net_init(struct net *net, const uint8_t mac[NET_MAC_BYTES]) {
	for (unsigned i = 0; i < NET_QUEUES; i++)
		net->queues[i].maximum = PLACES;
	memcpy(net->config.mac, mac, NET_MAC_BYTES);
	net->config.status = VIRTIO_NET_LINK_UP;
	net->config.max_virtqueue_pairs = 1;
	net->burst.due = CLOCK_NEVER;
	net->device.ops = &net_ops;
	net->device.offered = VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | VIRTIO_NET_F_MRG_RXBUF |
		VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX | net->backend.offloads;
	if (net->backend.offloads != 0) net->device.offered |= VIRTIO_NET_F_CTRL_GUEST_OFFLOADS;
	net->device.queues = net->queues;
	net->device.queue_count = NET_QUEUES;
	net->device.config = &net->config;
	net->device.config_size = sizeof(net->config);
}
