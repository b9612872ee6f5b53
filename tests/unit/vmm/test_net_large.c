// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of a network device whose driver leaves work on packets to others, and takes some.
#include "../check.h"

#include "virtio_driver.h"

#include <vmm/virtio/net_backend.h>

#include <string.h>

enum {
	HEADER = sizeof(struct virtio_net_header),
	OUT = 0x2000, // below DRIVER_FREE
	PACKET = 0x20000, // a large one
	IN = 0x100000,
	IN_SIZE = 1536,
	LARGE = 65226,
};

#define SENDS \
	(VIRTIO_NET_F_CSUM | VIRTIO_NET_F_HOST_TSO4 | VIRTIO_NET_F_HOST_TSO6 | \
		VIRTIO_NET_F_HOST_ECN)
#define TAKES \
	(VIRTIO_NET_F_GUEST_CSUM | VIRTIO_NET_F_GUEST_TSO4 | VIRTIO_NET_F_GUEST_TSO6 | \
		VIRTIO_NET_F_GUEST_ECN)
#define CONTROL (VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS)

static struct net net;
static struct net_station station;
static struct net_link link __attribute__((aligned(4096)));
static struct net_end peer;
static struct driver driver;
static struct driver_queue *queues[NET_QUEUES];
static struct net_frame frame;
static struct net_header left;
static uint8_t large[NET_LARGE_MAX + 1];

static const struct virtio_net_header tcp = {.flags = 1,
	.gso_type = 1,
	.hdr_len = 66,
	.gso_size = 1448,
	.csum_start = 34,
	.csum_offset = 16};

static void signal(void *) {}

static void open_driver(uint64_t features) {
	driver_start(&driver, &net.device, features | VIRTIO_F_VERSION_1);
	for (unsigned i = 0; i < NET_QUEUES; i++)
		queues[i] = driver_open(&driver, i, 128);
	driver_ok(&driver);
}

// The switch takes this work.
static void start(uint32_t takes, uint64_t features) {
	memset(&net, 0, sizeof(net));
	memset(&link, 0, sizeof(link));
	station = (struct net_station){.net = &net, .link = &link, .signal = signal};
	check(net_attach(&peer, &link, NET_TO_STATION));
	net_take_work(&peer.in, takes);
	check(net_station_open(&station, (const uint8_t[]){2, 0, 0, 0, 0, 1}));
	open_driver(features);
	for (unsigned i = 0; i < sizeof(large); i++)
		large[i] = (uint8_t)(i * 7 + i / 256);
}

static bool send(const struct virtio_net_header *header, uint32_t length) {
	const struct driver_buffer buffers[] = {
		{OUT, HEADER}, {PACKET, 100}, {PACKET + 100, length - 100}};
	uint64_t cookie;
	uint32_t written;

	memcpy(driver_at(&driver, OUT), header, HEADER);
	memcpy(driver_at(&driver, PACKET), large, length);
	if (!driver_add(queues[VIRTIO_NET_TRANSMIT], buffers, 3, 0, 0)) return false;
	driver_kick(queues[VIRTIO_NET_TRANSMIT]);
	return driver_reap(queues[VIRTIO_NET_TRANSMIT], &cookie, &written);
}

static bool arrived(uint32_t length) {
	bool there = net_receive_large(&peer.in, &frame, &left) && frame.length == length &&
		memcmp(frame.bytes, large, length) == 0;

	if (there) net_return(&peer.in, frame.buffer);
	return there;
}

static void put(const struct virtio_net_header *header, uint32_t length) {
	int buffer = net_take_run(&peer.out, length);

	check(buffer != NET_NO_BUFFER);
	if (buffer == NET_NO_BUFFER) return;
	memcpy(net_bytes(&peer.out, (unsigned)buffer), large, length);
	memcpy(&left, header, sizeof(left));
	net_send_large(&peer.out, (unsigned)buffer, &left, length);
	net_station_notified(&station);
}

static bool reap(uint32_t *written) {
	uint64_t cookie;

	return driver_reap(queues[VIRTIO_NET_RECEIVE], &cookie, written);
}

static void give(unsigned count) {
	for (unsigned i = 0; i < count; i++) {
		const struct driver_buffer buffer = {IN + i * IN_SIZE, IN_SIZE};

		check(driver_add(queues[VIRTIO_NET_RECEIVE], &buffer, 0, 1, i));
	}
	driver_kick(queues[VIRTIO_NET_RECEIVE]);
}

static void test_offers(void) {
	const uint64_t all = SENDS | TAKES | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS;

	start(NET_ALL_WORK, 0);
	check((net.device.offered & all) == all && link.takes[NET_TO_STATION] == 0);
	start(0, all);
	check((net.device.offered & all) == 0);
	start(NET_CHECKSUM, all);
	check((net.device.offered & all) == 0 && link.takes[NET_TO_STATION] == 0);
	start(NET_ALL_WORK, TAKES);
	check_equal(link.takes[NET_TO_STATION], NET_ALL_WORK);
	virtio_set_status(&net.device, 0);
	check_equal(link.takes[NET_TO_STATION], 0);
	open_driver(TAKES & ~VIRTIO_NET_F_GUEST_TSO4);
	check_equal(link.takes[NET_TO_STATION], NET_ALL_WORK & ~NET_TCP4);
	start(NET_ALL_WORK, TAKES & ~VIRTIO_NET_F_GUEST_CSUM);
	check_equal(link.takes[NET_TO_STATION], 0);
}

static void test_sends(void) {
	struct virtio_net_header header = tcp;

	start(NET_ALL_WORK, SENDS);
	check(send(&tcp, LARGE) && arrived(LARGE) && memcmp(&left, &tcp, sizeof(left)) == 0);
	check(send(&tcp, NET_LARGE_MAX) && arrived(NET_LARGE_MAX));
	check(send(&tcp, NET_LARGE_MAX + 1) && !arrived(NET_LARGE_MAX + 1));
	header.gso_type = 0;
	check(send(&header, 1514) && arrived(1514) && left.flags == 1);
	check(send(&header, 1515) && !arrived(1515));
	header.flags = 0;
	check(send(&header, 1514) && arrived(1514) && left.flags == 0);
	check_equal(left.checksum_start, 0);
	// Two wait for the switch, another for room.
	check(send(&tcp, 60000) && send(&tcp, 60000) && !send(&tcp, 60000) && net.out_of_room);
	check(arrived(60000));
	net_station_notified(&station);
	check(!net.out_of_room && arrived(60000) && arrived(60000));
}

// What was not agreed on means nothing.
static void test_unagreed(void) {
	start(NET_ALL_WORK, 0);
	check(send(&tcp, 1000) && arrived(1000) && left.flags == 0 && left.kind == 0);
	check(send(&tcp, LARGE) && !arrived(LARGE));
	start(NET_ALL_WORK, SENDS & ~VIRTIO_NET_F_HOST_TSO4);
	check(send(&tcp, LARGE) && !arrived(LARGE));
	start(NET_ALL_WORK, SENDS & ~VIRTIO_NET_F_CSUM);
	check(send(&tcp, LARGE) && !arrived(LARGE));
}

static void test_receives(void) {
	const struct virtio_net_header *header = driver_at(&driver, IN);
	uint32_t written, total = 0;

	start(NET_ALL_WORK, TAKES | VIRTIO_NET_F_MRG_RXBUF);
	give(43);
	put(&tcp, LARGE);
	for (unsigned i = 0; reap(&written); i++) {
		uint32_t offset = i == 0 ? HEADER : 0;

		check(memcmp(driver_at(&driver, IN + i * IN_SIZE + offset), large + total,
			      written - offset) == 0);
		total += written - offset;
	}
	check(total == LARGE && header->num_buffers == 43);
	check(memcmp(header, &tcp, sizeof(left)) == 0);
	// The driver has taken less before the switch knew it.
	start(NET_ALL_WORK, TAKES & ~VIRTIO_NET_F_GUEST_TSO4);
	give(2);
	put(&tcp, 1000);
	check(!reap(&written));
	put(&(struct virtio_net_header){.flags = 1, .csum_start = 34, .csum_offset = 16}, 1000);
	check(reap(&written) && written == 1000 + HEADER && header->flags == 1);
	net_reclaim(&peer.out);
	check(peer.out.in_flight == 0);
}

static uint8_t command(uint64_t features, unsigned length) {
	const struct driver_buffer buffers[] = {{OUT, 2}, {OUT + 8, length}, {OUT + 16, 1}};
	uint64_t cookie;
	uint32_t written;

	memcpy(driver_at(&driver, OUT), (const uint8_t[]){5, 0}, 2);
	memcpy(driver_at(&driver, OUT + 8), &features, 8);
	check(driver_add(queues[VIRTIO_NET_CONTROL], buffers, 2, 1, 0));
	check(driver_kick(queues[VIRTIO_NET_CONTROL]));
	check(driver_reap(queues[VIRTIO_NET_CONTROL], &cookie, &written) && written == 1);
	return driver.ram[OUT + 16];
}

static void test_switches(void) {
	uint32_t written;

	start(NET_ALL_WORK, TAKES | CONTROL | VIRTIO_NET_F_MRG_RXBUF | SENDS);
	put(&tcp, 1000);
	check(!reap(&written)); // waits for a buffer
	check_equal(command(VIRTIO_NET_F_GUEST_CSUM, 8), VIRTIO_NET_OK);
	check(link.takes[NET_TO_STATION] == NET_CHECKSUM && station.sends == NET_ALL_WORK);
	give(1);
	check(!reap(&written)); // it is not taken any more
	check_equal(command(TAKES, 8), VIRTIO_NET_OK);
	check_equal(link.takes[NET_TO_STATION], NET_ALL_WORK);
	check_equal(command(TAKES | VIRTIO_NET_F_CSUM, 8), VIRTIO_NET_ERR);
	check_equal(command(0, 7), VIRTIO_NET_ERR);
	check_equal(link.takes[NET_TO_STATION], NET_ALL_WORK);
	start(NET_ALL_WORK, TAKES | VIRTIO_NET_F_CTRL_VQ);
	check_equal(command(0, 8), VIRTIO_NET_ERR);
	check_equal(link.takes[NET_TO_STATION], NET_ALL_WORK);
}

static const struct test tests[] = {
	{"net-large-offers", "Work is offered if the switch does it, and taken as agreed on",
		test_offers},
	{"net-large-sends", "Packets go as the driver leaves them", test_sends},
	{"net-large-unagreed", "A header that was not agreed on means nothing", test_unagreed},
	{"net-large-receives", "A large packet arrives in one piece, if the driver takes it",
		test_receives},
	{"net-large-switches", "The driver switches what it takes off and on", test_switches},
};

int main(void) { return check_run(tests, sizeof(tests) / sizeof(tests[0])); }
