// SPDX-License-Identifier: BSD-2-Clause
// The virtio network driver against a fake device that keeps the rules, and one that does not.
#include "test.h"
#include "virtio_fake.h"

#include <drivers/virtio_net/device.h>
#include <virtio/net.h>

#include <stdlib.h>
#include <string.h>

#define DMA_PADDR 0x7654321000ul
#define FRAME_PADDR 0x300000000ul
#define OFFLOADS \
	(VIRTIO_NET_F_CSUM | VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4 | \
		VIRTIO_NET_F_MRG_RXBUF | VIRTIO_F_EVENT_IDX | VIRTIO_F_RING_PACKED | \
		VIRTIO_F_INDIRECT_DESC)
#define FILTER (VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX)
#define TAKEN (VIRTIO_F_VERSION_1 | VIRTIO_NET_F_MAC | VIRTIO_NET_F_STATUS | FILTER)

enum {
	HEADER = sizeof(struct virtio_net_header),
};

static struct virtio_net_config config;
static uint8_t *dma; // of the exact size
static uint8_t frames[NET_BUFFERS][NET_BUFFER_SIZE];
static struct virtio_net net;
static unsigned notified;

static uint8_t *memory_at(uint64_t paddr, uint32_t bytes) {
	if (paddr >= DMA_PADDR && paddr + bytes <= DMA_PADDR + VIRTIO_NET_MEMORY)
		return dma + (paddr - DMA_PADDR);
	check(paddr >= FRAME_PADDR && paddr + bytes <= FRAME_PADDR + sizeof(frames));
	return frames[0] + (paddr - FRAME_PADDR);
}

static enum { ANSWERS, REFUSES, IS_SILENT, NEEDS_RESET } control;

// The only command: all frames, please.
static void carry_out(void) {
	const struct virtq_split_descriptor *chain;
	uint16_t head;

	check(fake_next(VIRTIO_NET_CONTROL, &head));
	chain = &fake_table(VIRTIO_NET_CONTROL)[head];
	check(chain->length == 3 && chain->flags == VIRTQ_NEXT);
	check(memcmp(memory_at(chain->address, 3), (uint8_t[]){0, 0, 1}, 3) == 0);
	chain = &fake_table(VIRTIO_NET_CONTROL)[chain->next];
	check(chain->length == 1 && chain->flags == VIRTQ_WRITE);
	if (control == NEEDS_RESET) fake.common.status |= VIRTIO_NEEDS_RESET;
	if (control > REFUSES) return;
	*memory_at(chain->address, 1) = control == ANSWERS ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
	fake_return(VIRTIO_NET_CONTROL, head, 1, 0);
}

static void take_notification(unsigned queue) {
	if (queue == VIRTIO_NET_CONTROL)
		carry_out();
	else
		notified |= 1u << queue;
}

static void fresh(void) {
	config = (struct virtio_net_config){
		.mac = {2, 0, 0, 1, 2, 3}, .status = VIRTIO_NET_LINK_UP, .mtu = 9000};
	notified = 0;
	control = ANSWERS;
	fake_begin(&(struct virtio_fake){
		.features = TAKEN | OFFLOADS,
		.queue_size = 256,
		.config = &config,
		.config_size = sizeof(config),
		.notified = take_notification,
		.memory_at = memory_at,
	});
	free(dma);
	dma = aligned_alloc(4096, VIRTIO_NET_MEMORY);
	net = (struct virtio_net){.memory = dma, .paddr = DMA_PADDR};
	check(virtio_places_find(fake_read_function, FAKE_SIZE, &net.places));
}

static void start(void) {
	fresh();
	check(virtio_net_reset(&net));
}

static bool give(enum net_direction direction, unsigned buffer, unsigned length) {
	return virtio_net_give(
		&net, direction, buffer, FRAME_PADDR + (uint64_t)buffer * NET_BUFFER_SIZE, length);
}

// The device takes the next chain: what is in it, and where.
static unsigned buffer_of(unsigned queue, uint16_t *head, uint32_t *length) {
	bool receives = queue == VIRTIO_NET_RECEIVE;
	const struct virtq_split_descriptor *chain;
	uint8_t *frame;

	check(fake_next(queue, head));
	chain = &fake_table(queue)[*head];
	check(chain->length == HEADER &&
		chain->flags == (VIRTQ_NEXT | (receives ? VIRTQ_WRITE : 0)));
	check(memory_at(chain->address, HEADER)[receives ? 0 : 1] == 0 || receives);
	if (receives) memset(memory_at(chain->address, HEADER), 0xff, HEADER);
	chain = &fake_table(queue)[chain->next];
	check(chain->flags == (receives ? VIRTQ_WRITE : 0));
	*length = chain->length;
	frame = memory_at(chain->address, chain->length);
	return (unsigned)(frame - frames[0]) / NET_BUFFER_SIZE;
}

static void starts(void) {
	uint8_t mac[NET_MAC_BYTES];

	start();
	check(fake.accepted == TAKEN);
	check(fake.queues[VIRTIO_NET_RECEIVE].vector == VIRTIO_PCI_NO_VECTOR);
	check(virtio_net_mac(&net, mac) && memcmp(mac, config.mac, sizeof(mac)) == 0);
	check(virtio_net_link_is_up(&net));
	config.status = 0;
	check(!virtio_net_link_is_up(&net));
	config.status = 0x100; // of a later edition
	check(!virtio_net_link_is_up(&net));
	fresh();
	fake.features = VIRTIO_F_VERSION_1;
	config.status = 0;
	check(virtio_net_reset(&net) && !virtio_net_mac(&net, mac) && virtio_net_link_is_up(&net));
	start();
	fake.unsteady = true;
	check(!virtio_net_mac(&net, mac) && !virtio_net_link_is_up(&net));
	start();
	net.places.config_length = 5;
	check(!virtio_net_mac(&net, mac) && !virtio_net_link_is_up(&net));
}

static void all_frames(void) {
	start();
	check(net.takes_all && fake.seen[VIRTIO_NET_CONTROL] == 1);
	for (control = REFUSES; control <= NEEDS_RESET; control++)
		check(virtio_net_reset(&net) && !net.takes_all);
	fresh();
	fake.features &= ~VIRTIO_NET_F_CTRL_RX; // it has no filter
	check(virtio_net_reset(&net) && net.takes_all && fake.seen[VIRTIO_NET_CONTROL] == 0);
	fresh();
	net.places.notify_length = FAKE_MULTIPLIER * (FAKE_NOTIFY_OFF + 1) + 2; // of two queues
	check(!virtio_net_reset(&net));
}

static void refused_starts(void) {
	fresh();
	fake.features = OFFLOADS; // a legacy device
	check(!virtio_net_reset(&net) && fake.common.status == VIRTIO_FAILED);
	fresh();
	fake.no_reset = true;
	check(!virtio_net_reset(&net));
	fresh();
	fake.queue_size = 64;
	check(!virtio_net_reset(&net));
	fresh();
	fake.refuses_features = true;
	check(!virtio_net_reset(&net));
	fresh();
	net.places.notify_length = FAKE_MULTIPLIER * FAKE_NOTIFY_OFF + 2; // of the first queue only
	check(!virtio_net_reset(&net));
}

// Each many times around the ring, the device answering in another order.
static void moves(void) {
	start();
	for (unsigned round = 0; round < 600; round++) {
		enum net_direction way = round % 2 ? NET_TO_STATION : NET_TO_SWITCH;
		unsigned queue = way == NET_TO_SWITCH ? VIRTIO_NET_RECEIVE : VIRTIO_NET_TRANSMIT;
		unsigned first = round * 7 % NET_BUFFERS, second = (first + 31) % NET_BUFFERS;
		unsigned taken, length;
		uint16_t heads[2];
		uint32_t room;

		check(give(way, first, 60 + round) && give(way, second, 1000));
		check(virtio_net_take(&net, way, &taken, &length) == VIRTIO_NOTHING);
		check(buffer_of(queue, &heads[0], &room) == first && room == 60 + round);
		check(buffer_of(queue, &heads[1], &room) == second && room == 1000);
		fake_return(queue, heads[1], HEADER + 14 + round, 0);
		fake_return(queue, heads[0], HEADER + 99, 0);
		check(virtio_net_take(&net, way, &taken, &length) == VIRTIO_TAKEN);
		check(taken == second && length == 14 + round);
		check(net.lanes[way].count == 1);
		check(virtio_net_take(&net, way, &taken, &length) == VIRTIO_TAKEN);
		check(taken == first && length == 99);
		check(virtio_net_take(&net, way, &taken, &length) == VIRTIO_NOTHING);
	}
}

static void full(void) {
	unsigned taken, length;
	uint32_t room;
	uint16_t head;

	start();
	for (unsigned i = 0; i < NET_BUFFERS; i++)
		check(give(NET_TO_STATION, i, 60) && !give(NET_TO_STATION, i, 60));
	check(net.lanes[NET_TO_STATION].count == NET_BUFFERS);
	check(notified == 0);
	virtio_queue_notify(&net.lanes[NET_TO_STATION].queue);
	check(notified == 1u << VIRTIO_NET_TRANSMIT);
	for (unsigned i = 0; i < NET_BUFFERS; i++)
		check(buffer_of(VIRTIO_NET_TRANSMIT, &head, &room) == i && room == 60);
	check(!fake_next(VIRTIO_NET_TRANSMIT, &head));
	fake_return(VIRTIO_NET_TRANSMIT, head, 0, 0);
	check(virtio_net_take(&net, NET_TO_STATION, &taken, &length) == VIRTIO_TAKEN);
	check(taken == NET_BUFFERS - 1 && give(NET_TO_STATION, taken, 60));
	// It does not want to be notified now.
	notified = 0;
	net.lanes[NET_TO_STATION].queue.used->flags = VIRTQ_NO_EVENT;
	virtio_queue_notify(&net.lanes[NET_TO_STATION].queue);
	check(notified == 0);
}

static unsigned length_taken(uint32_t written) {
	unsigned taken, length = 77;
	uint32_t room;
	uint16_t head;

	check(give(NET_TO_SWITCH, 5, NET_BUFFER_SIZE));
	check(buffer_of(VIRTIO_NET_RECEIVE, &head, &room) == 5);
	fake_return(VIRTIO_NET_RECEIVE, head, written, 0);
	check(virtio_net_take(&net, NET_TO_SWITCH, &taken, &length) == VIRTIO_TAKEN && taken == 5);
	return length;
}

static void lengths(void) {
	start();
	check(length_taken(HEADER + NET_FRAME_MAX) == NET_FRAME_MAX);
	check(length_taken(HEADER + NET_FRAME_MAX + 1) == 0);
	check(length_taken(HEADER + NET_FRAME_MIN) == NET_FRAME_MIN);
	check(length_taken(HEADER + NET_FRAME_MIN - 1) == 0);
	check(length_taken(HEADER) == 0);
	check(length_taken(HEADER - 1) == 0); // no difference below 0
	check(length_taken(0) == 0);
	check(length_taken(~0u) == 0);
}

static enum virtio_answer answer_to(uint32_t id, uint16_t extra) {
	unsigned taken, length;
	uint32_t room;
	uint16_t head;

	start();
	check(give(NET_TO_SWITCH, 5, NET_BUFFER_SIZE) && give(NET_TO_SWITCH, 6, NET_BUFFER_SIZE));
	check(buffer_of(VIRTIO_NET_RECEIVE, &head, &room) == 5);
	fake_return(VIRTIO_NET_RECEIVE, id, HEADER + 60, extra);
	return virtio_net_take(&net, NET_TO_SWITCH, &taken, &length);
}

static void lies(void) {
	unsigned taken, length;

	check(answer_to(10, 0) == VIRTIO_TAKEN);
	check(answer_to(11, 0) == VIRTIO_IMPOSSIBLE); // not the first of its chain
	check(answer_to(14, 0) == VIRTIO_IMPOSSIBLE); // of a buffer that it does not have
	check(answer_to(128, 0) == VIRTIO_IMPOSSIBLE);
	check(answer_to(0x8000000a, 0) == VIRTIO_IMPOSSIBLE);
	check(answer_to(10, 1) == VIRTIO_TAKEN);
	check(answer_to(10, 2) == VIRTIO_IMPOSSIBLE); // more than it was given
	check(answer_to(10, 0x8000) == VIRTIO_IMPOSSIBLE);
	// What it had comes back by the reset, once.
	check(net.lanes[NET_TO_SWITCH].held == (1ul << 5 | 1ul << 6));
	check(virtio_net_reset(&net));
	check(!give(NET_TO_SWITCH, 6, NET_BUFFER_SIZE));
	for (unsigned i = 5; i < 7; i++) {
		check(virtio_net_take(&net, NET_TO_SWITCH, &taken, &length) == VIRTIO_TAKEN);
		check(taken == i && length == 0 && give(NET_TO_SWITCH, i, NET_BUFFER_SIZE));
	}
	check(virtio_net_take(&net, NET_TO_SWITCH, &taken, &length) == VIRTIO_NOTHING);
	// It comes back as well from a device that does not even reset itself.
	fake.no_reset = true;
	check(!virtio_net_reset(&net));
	for (unsigned i = 5; i < 7; i++)
		check(virtio_net_take(&net, NET_TO_SWITCH, &taken, &length) == VIRTIO_TAKEN);
	check(net.lanes[NET_TO_SWITCH].count == 0);
}

// Whatever it writes into all that it can, each buffer comes back once, with a length of a frame's.
static void noise(void) {
	uint32_t chance = 1;

	for (unsigned round = 0; round < 2000; round++) {
		unsigned taken, length, count = 0;

		start();
		for (unsigned i = 0; i < NET_BUFFERS; i++)
			check(give(NET_TO_SWITCH, i, NET_BUFFER_SIZE));
		for (unsigned i = 0; i < VIRTIO_NET_LANE_MEMORY; i++) {
			chance = chance * 1664525 + 1013904223;
			// Now and then numbers that could be right.
			dma[i] = round % 4 ? (uint8_t)(chance >> 24 & chance >> 16 & chance >> 8)
					   : (uint8_t)(chance >> 24);
		}
		while (virtio_net_take(&net, NET_TO_SWITCH, &taken, &length) == VIRTIO_TAKEN) {
			check(taken < NET_BUFFERS);
			check(length == 0 || (length >= NET_FRAME_MIN && length <= NET_FRAME_MAX));
			count++;
		}
		check(count + net.lanes[NET_TO_SWITCH].count == NET_BUFFERS);
	}
}

static const struct test rows[] = {
	{"user/virtio-net/starts",
		"address and link are read if the device has them, no offload "
		"is taken",
		starts},
	{"user/virtio-net/all-frames", "a device that filters is asked not to, and may refuse",
		all_frames},
	{"user/virtio-net/refused", "a device that is not as it must be is no card",
		refused_starts},
	{"user/virtio-net/moves", "buffers come back in any order with their lengths", moves},
	{"user/virtio-net/full", "all buffers of the link can be at the device", full},
	{"user/virtio-net/lengths", "no length of the device's leads beyond a frame", lengths},
	{"user/virtio-net/lies", "what cannot be is noticed, and a reset brings all buffers back",
		lies},
	{"user/virtio-net/noise", "random answers lead to no buffer that the device does not have",
		noise},
};

const struct tests virtio_net_tests = {rows, array_count(rows)};
