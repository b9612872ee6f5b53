// SPDX-License-Identifier: BSD-2-Clause
// The devices, each with a back end that does as the input says.
#include "fuzz.h"

#include <lib/block/server.h>
#include <vmm/virtio/balloon.h>
#include <vmm/virtio/blk_backend.h>
#include <vmm/virtio/console.h>
#include <vmm/virtio/net_backend.h>
#include <vmm/virtio/rng.h>
#include <vmm/virtio/vsock.h>

#include <string.h>

enum { SECTORS = 128, DATA = BLOCK_CAPACITY * BLOCK_SECTOR * 2, CID = 3, PORT = 7 };

static void nothing(struct input *) {}

static void settled(void) {}

static void signal(void *) {}

// Entropy

static struct rng rng;

static bool fill(void *, uint8_t *bytes, uint32_t length) {
	memset(bytes, 0x5a, length);
	return true;
}

static struct virtio_device *open_rng(const struct guest_memory *, unsigned) {
	rng = (struct rng){.fill = fill};
	rng_init(&rng);
	return &rng.device;
}

// Disk

static struct disk {
	struct blk blk;
	struct blk_client client;
	struct block_server server;
	struct block_queue queue __attribute__((aligned(4096)));
	uint8_t data[DATA];
	uint8_t sectors[SECTORS][BLOCK_SECTOR];
} disk;

static void carry_out(const struct block_job *job) {
	size_t bytes = (size_t)job->count * BLOCK_SECTOR;

	if (job->kind == BLOCK_READ) memcpy(job->data, disk.sectors[job->sector], bytes);
	if (job->kind == BLOCK_WRITE) memcpy(disk.sectors[job->sector], job->data, bytes);
	if (job->kind == BLOCK_WRITE_ZEROES) memset(disk.sectors[job->sector], 0, bytes);
}

static struct virtio_device *open_disk(const struct guest_memory *memory, unsigned variant) {
	bool copies = variant & 1;
	const struct block_grant grant = {
		.queue = &disk.queue,
		.data = copies ? disk.data : memory->bytes,
		.data_size = copies ? DATA : FUZZ_RAM,
		.read_only = variant & 2,
	};

	memset(&disk, 0, sizeof(disk));
	disk.server.sectors = SECTORS;
	disk.server.kinds = 1u << BLOCK_DISCARD | 1u << BLOCK_WRITE_ZEROES;
	if (!block_server_add(&disk.server, 0, &grant)) __builtin_trap();
	disk.blk.device.memory = memory;
	disk.client = (struct blk_client){.blk = &disk.blk,
		.queue = &disk.queue,
		.data = grant.data,
		.data_size = grant.data_size,
		.signal = signal};
	if (!blk_client_open(&disk.client)) __builtin_trap();
	(void)block_server_next(&disk.server, &(struct block_job){0});
	blk_client_notified(&disk.client);
	if (!disk.client.ready) __builtin_trap();
	return &disk.blk.device;
}

static uint32_t request_disk(struct input *input, uint8_t *bytes) {
	static const uint32_t types[] = {VIRTIO_BLK_IN, VIRTIO_BLK_OUT, VIRTIO_BLK_FLUSH,
		VIRTIO_BLK_GET_ID, VIRTIO_BLK_DISCARD, VIRTIO_BLK_WRITE_ZEROES};
	const struct virtio_blk_header header = {
		.type = types[input_byte(input) % 6], .sector = input_byte(input)};
	const struct virtio_blk_range range = {
		input_byte(input), input_byte(input) % 16, input_byte(input) % 3};
	bool has_range = header.type == VIRTIO_BLK_DISCARD ||
		header.type == VIRTIO_BLK_WRITE_ZEROES;

	memcpy(bytes, &header, sizeof(header));
	memcpy(bytes + sizeof(header), &range, sizeof(range));
	return sizeof(header) + (has_range ? sizeof(range) : 0);
}

// The driver of the disk does some jobs, well or badly.
static void act_disk(struct input *input) {
	struct block_job job;
	uint8_t what = input_byte(input);

	for (unsigned i = what % 8; i > 0 && block_server_next(&disk.server, &job); i--) {
		carry_out(&job);
		block_server_finish(
			&disk.server, &job, what & 0x80 ? BLOCK_DEVICE_ERROR : BLOCK_OK, job.count);
	}
	blk_client_notified(&disk.client);
}

static void settle_disk(void) {
	struct block_job job;

	do {
		while (block_server_next(&disk.server, &job)) {
			carry_out(&job);
			block_server_finish(&disk.server, &job, BLOCK_OK, job.count);
		}
		blk_client_notified(&disk.client);
	} while (block_server_next(&disk.server, &job));
}

// Console

static struct virtio_console console;
static unsigned console_room, console_input;

static bool console_ready(void *) { return console_room > 0; }

static void console_put(void *, uint8_t) { console_room--; }

static bool console_get(void *, uint8_t *byte) {
	*byte = (uint8_t)console_input;
	return console_input > 0 && console_input-- > 0;
}

static bool console_break(void *) { return false; }

static struct virtio_device *open_console(const struct guest_memory *, unsigned variant) {
	const struct uart_backend backend = {
		NULL, console_ready, console_put, console_get, console_break};

	memset(&console, 0, sizeof(console));
	console_room = console_input = 0;
	console.port_count = variant % CONSOLE_PORTS + 1;
	for (unsigned i = 0; i < console.port_count; i++) {
		console.ports[i].backend = backend;
		console.ports[i].name = i > 0 ? "a port" : NULL;
	}
	virtio_console_init(&console);
	return &console.device;
}

static uint32_t request_console(struct input *input, uint8_t *bytes) {
	const struct virtio_console_control message = {
		input_byte(input) % 5, input_byte(input) % 9, input_byte(input) % 2};

	memcpy(bytes, &message, sizeof(message));
	return sizeof(message);
}

static void act_console(struct input *input) {
	uint8_t what = input_byte(input);

	if (what & 1) console_room = input_byte(input);
	if (what & 2) console_input = input_byte(input);
	if (what & 4)
		virtio_console_resize(
			&console, what / 8 % console.port_count, input_byte(input), 1);
	virtio_console_receive(&console);
	virtio_console_retry(&console);
}

// Network

static struct cable {
	struct net net;
	struct net_station station;
	struct net_end peer;
	struct net_link link __attribute__((aligned(4096)));
} cable;

static uint64_t cable_time;

static uint64_t read_cable_time(void) { return cable_time; }

static struct virtio_device *open_net(const struct guest_memory *, unsigned) {
	static const struct clock clock = {read_cable_time, 100000, 0};

	memset(&cable, 0, sizeof(cable));
	cable.net.clock = &clock;
	cable.station = (struct net_station){
		.net = &cable.net, .link = &cable.link, .signal = signal};
	cable.link.takes[NET_TO_SWITCH] = NET_ALL_WORK;
	if (!net_station_open(&cable.station, (const uint8_t[6]){2}) ||
		!net_attach(&cable.peer, &cable.link, NET_TO_STATION))
		__builtin_trap();
	return &cable.net.device;
}

static uint32_t request_net(struct input *input, uint8_t *bytes) {
	memset(bytes, 0, sizeof(struct virtio_net_header));
	bytes[0] = input_byte(input) % 2;
	bytes[1] = input_byte(input) % 8;
	return input_byte(input) % 2 ? 3 : sizeof(struct virtio_net_header);
}

static void act_net(struct input *input) {
	uint8_t what = input_byte(input);
	struct net_header left;
	struct net_frame frame;
	int buffer;

	cable_time += what / 64 * 20;
	net_settle(&cable.net, what == 255);
	for (unsigned i = what % 8; i > 0; i--) {
		buffer = net_take(&cable.peer.out);
		if (buffer != NET_NO_BUFFER)
			net_send(&cable.peer.out, (unsigned)buffer,
				input_byte(input) * 8u | (i % 2 ? NET_UNFINISHED : 0));
	}
	for (unsigned i = what / 8 % 8; i > 0 && net_receive_large(&cable.peer.in, &frame, &left);
		i--)
		net_return(&cable.peer.in, frame.buffer);
	// A peer that writes anything into the link.
	if (what & 0x80)
		((uint8_t *)&cable.link)[input_number(input, 2) % 0x1000] = input_byte(input);
	if (what & 0x40) net_set_link(&cable.net, what & 1);
	net_station_notified(&cable.station);
}

// Sockets

static struct sockets {
	struct vsock vsock;
	struct stream_end components[2];
	struct stream regions[2] __attribute__((aligned(64)));
} sockets;

static struct virtio_device *open_vsock(const struct guest_memory *, unsigned) {
	memset(&sockets, 0, sizeof(sockets));
	sockets.vsock.stream_count = 2;
	for (unsigned i = 0; i < 2; i++) {
		struct vsock_stream *stream = &sockets.vsock.streams[i];

		stream->port = PORT + i;
		stream->region = &sockets.regions[i];
		stream->signal = signal;
		if (!stream_open(&sockets.components[i], stream->region)) __builtin_trap();
	}
	if (!vsock_init(&sockets.vsock, CID)) __builtin_trap();
	return &sockets.vsock.device;
}

// Without this an input would have to guess the numbers of ports.
static uint32_t request_vsock(struct input *input, uint8_t *bytes) {
	const struct virtio_vsock_header header = {
		.src_cid = CID,
		.dst_cid = VIRTIO_VSOCK_HOST,
		.src_port = input_byte(input) % 2,
		.dst_port = PORT + input_byte(input) % 3,
		.length = input_byte(input),
		.type = VIRTIO_VSOCK_STREAM,
		.operation = input_byte(input) % 9,
		.flags = input_byte(input) % 4,
		.buf_alloc = input_byte(input) * 8u,
		.fwd_cnt = input_byte(input),
	};

	memcpy(bytes, &header, sizeof(header));
	return sizeof(header);
}

// A component sends and takes messages.
static void act_vsock(struct input *input) {
	uint8_t what = input_byte(input);
	struct stream_end *component = &sockets.components[what & 1];
	struct stream_message message = {.kind = what / 2 % 5,
		.length = input_byte(input) * 2,
		.port = input_byte(input) % 2};

	if (what & 0x40) (void)ring_put(&component->out, &message);
	for (unsigned i = what & 0x20 ? 64 : what / 8 % 4; i > 0; i--)
		(void)ring_get(&component->in, &message);
	if (what & 0x80)
		((uint8_t *)&sockets.regions[what & 1])[input_number(input, 2) %
			sizeof(sockets.regions[0])] = input_byte(input);
	vsock_notified(&sockets.vsock);
}

// Balloon

static struct balloon balloon;

// What is given may be lost.
static void balloon_given(void *, uint8_t *bytes, uint64_t length) { memset(bytes, 0, length); }

static struct virtio_device *open_balloon(const struct guest_memory *, unsigned) {
	balloon = (struct balloon){.given = balloon_given};
	balloon_init(&balloon);
	return &balloon.device;
}

static void act_balloon(struct input *input) { balloon_ask(&balloon, input_byte(input)); }

const struct rig rigs[] = {
	{"rng", open_rng, NULL, nothing, settled},
	{"blk", open_disk, request_disk, act_disk, settle_disk},
	{"console", open_console, request_console, act_console, settled},
	{"net", open_net, request_net, act_net, settled},
	{"vsock", open_vsock, request_vsock, act_vsock, settled},
	{"balloon", open_balloon, NULL, act_balloon, settled},
};
const unsigned rig_count = sizeof(rigs) / sizeof(rigs[0]);
