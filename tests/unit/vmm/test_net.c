// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of the network device and of its back end, whose peer is the other end of a link.
#include "../check.h"

#include "virtio_driver.h"

#include <vmm/virtio/net_backend.h>

#include <string.h>

enum { HEADER = sizeof(struct virtio_net_header), OUT = 0x2000, IN = 0x100000, IN_SIZE = 2048 };

static struct net net;
static struct net_station station;
static struct net_link link __attribute__((aligned(4096)));
static struct net_end peer;
static struct driver driver;
static struct driver_queue *queues[NET_QUEUES];
static unsigned signals;

static void signal(void *) { signals++; }

static const uint8_t mac[] = {0x52, 0x54, 0, 1, 2, 3};

static void open_driver(uint64_t features) {
	driver_start(&driver, &net.device, features | VIRTIO_F_VERSION_1);
	for (unsigned i = 0; i < NET_QUEUES; i++)
		queues[i] = driver_open(&driver, i, 64);
	driver_ok(&driver);
	for (unsigned i = 0; i < NET_QUEUES; i++)
		driver_ask(queues[i]);
}

static void start(uint64_t features) {
	memset(&net, 0, sizeof(net));
	memset(&link, 0, sizeof(link));
	signals = 0;
	station = (struct net_station){.net = &net, .link = &link, .signal = signal};
	check(net_station_open(&station, mac) && net_attach(&peer, &link, NET_TO_STATION));
	open_driver(features);
}

static const uint64_t formats[] = {0, VIRTIO_F_RING_PACKED, VIRTIO_NET_F_MRG_RXBUF,
	VIRTIO_NET_F_MRG_RXBUF | VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX |
		VIRTIO_F_INDIRECT_DESC};
static const char *const names[] = {"split", "packed", "split, merged", "packed, merged"};
enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

// A frame of a length, in two pieces behind its header.
static bool send(uint32_t length, uint8_t byte) {
	const struct driver_buffer buffers[] = {
		{OUT, HEADER}, {OUT + HEADER, 10}, {OUT + 64, length - 10}};

	memset(driver_at(&driver, OUT + HEADER), byte, 10);
	memset(driver_at(&driver, OUT + 64), byte + 1, length - 10);
	return driver_add(queues[VIRTIO_NET_TRANSMIT], buffers, 3, 0, byte);
}

static bool give(unsigned number, uint32_t length) {
	const struct driver_buffer buffer = {IN + number * IN_SIZE, length};

	return driver_add(queues[VIRTIO_NET_RECEIVE], &buffer, 0, 1, number);
}

static void put_frame(uint32_t length, uint8_t byte) {
	int buffer = net_take(&peer.out);

	check(buffer != NET_NO_BUFFER);
	if (buffer == NET_NO_BUFFER) return;
	memset((*peer.out.buffers)[buffer], byte, length);
	net_send(&peer.out, (unsigned)buffer, length);
}

static void test_sends(void) {
	for (unsigned i = 0; i < FORMATS; i++) {
		struct net_frame frame;
		uint64_t cookie;
		uint32_t written;

		check_about(names[i]);
		start(formats[i]);
		check(send(1514, 1) && send(60, 3) && send(1515, 5) && send(13, 7));
		check(driver_kick(queues[VIRTIO_NET_TRANSMIT]) && signals == 1);
		for (unsigned j = 0; j < 4; j++)
			check(driver_reap(queues[VIRTIO_NET_TRANSMIT], &cookie, &written));
		check_equal(driver.interrupts[VIRTIO_NET_TRANSMIT], 1);
		check(net_receive(&peer.in, &frame) && frame.length == 1514);
		net_return(&peer.in, frame.buffer);
		check(net_receive(&peer.in, &frame) && frame.length == 60);
		net_return(&peer.in, frame.buffer);
		check(!net_receive(&peer.in, &frame)); // too long and too short ones are dropped
	}
}

static void test_room(void) {
	struct net_frame frame;
	uint64_t cookie;
	uint32_t written;
	unsigned done = 0, sent = 0;

	start(VIRTIO_F_INDIRECT_DESC);
	for (unsigned round = 0; round < 3; round++)
		while (send(100, 1)) {
			sent++;
			driver_kick(queues[VIRTIO_NET_TRANSMIT]);
			for (; driver_reap(queues[VIRTIO_NET_TRANSMIT], &cookie, &written); done++)
				;
		}
	check(done == NET_BUFFERS && sent == 2 * NET_BUFFERS && net.out_of_room);
	for (unsigned i = 0; i < 10 && net_receive(&peer.in, &frame); i++)
		net_return(&peer.in, frame.buffer);
	check(net_must_notify(&peer)); // the station waits for room
	net_station_notified(&station);
	for (; driver_reap(queues[VIRTIO_NET_TRANSMIT], &cookie, &written); done++)
		;
	check_equal(done, NET_BUFFERS + 10);
}

static void test_receives(void) {
	for (unsigned i = 0; i < FORMATS; i++) {
		struct virtio_net_header *header = driver_at(&driver, IN);
		uint64_t cookie;
		uint32_t written;

		check_about(names[i]);
		start(formats[i]);
		put_frame(1514, 9); // the guest is out of buffers
		net_station_notified(&station);
		check(net.out_of_buffers);
		check(give(0, IN_SIZE) && give(1, IN_SIZE));
		check(driver_kick(queues[VIRTIO_NET_RECEIVE]));
		check(driver_reap(queues[VIRTIO_NET_RECEIVE], &cookie, &written));
		check(cookie == 0 && written == 1514 + HEADER);
		check(header->num_buffers == 1 && header->flags == 0 && header->gso_type == 0);
		check(driver.ram[IN + HEADER] == 9 && driver.ram[IN + HEADER + 1513] == 9);
		check(driver.ram[IN + HEADER + 1514] == 0);
		check_equal(driver.interrupts[VIRTIO_NET_RECEIVE], 1);
		put_frame(60, 8);
		check(net_must_notify(&peer));
		net_station_notified(&station);
		check(driver_reap(queues[VIRTIO_NET_RECEIVE], &cookie, &written));
		check(cookie == 1 && written == 60 + HEADER && !net.out_of_buffers);
		net_reclaim(&peer.out);
		check_equal(peer.out.free, UINT64_MAX);
	}
}

static uint64_t now;

static uint64_t read_clock(void) { return now; }

static bool send_at(uint64_t time) {
	now = time;
	check(send(60, 1));
	return driver_kick(queues[VIRTIO_NET_TRANSMIT]);
}

static unsigned arrived(void) {
	struct net_frame frame;
	unsigned count = 0;

	for (; net_receive(&peer.in, &frame); count++)
		net_return(&peer.in, frame.buffer);
	return count;
}

static const struct clock burst_clock = {read_clock, 1000000, 0}; // microseconds
static const uint64_t burst_formats[] = {
	0, VIRTIO_F_EVENT_IDX, VIRTIO_F_RING_PACKED, VIRTIO_F_RING_PACKED | VIRTIO_F_EVENT_IDX};
static const char *const burst_names[] = {
	"split", "split, event index", "packed", "packed, event index"};
enum { BURST_FORMATS = sizeof(burst_formats) / sizeof(burst_formats[0]) };

// Two packets, the second of which begins a burst of a packet in so many microseconds.
static void start_burst(unsigned format, uint64_t interval) {
	check_about(burst_names[format]);
	start(burst_formats[format] | VIRTIO_F_INDIRECT_DESC);
	net.clock = &burst_clock;
	check(send_at(5000) && arrived() == 1 && net.burst.due == CLOCK_NEVER);
	check(send_at(5000 + interval) && arrived() == 1);
}

static void test_burst(void) {
	for (unsigned i = 0; i < BURST_FORMATS; i++) {
		start_burst(i, 20);
		check(!send_at(5040) && !send_at(5060) && arrived() == 0);
		check_equal(net.burst.due, 5020 + 8 * 20);
		now = 5179;
		net_settle(&net, false);
		check(arrived() == 0);
		now = 5180;
		net_settle(&net, false);
		check(arrived() == 2 && net.burst.due == 5180 + 160);
		// One that is added before the driver knows that it has to notify is not lost.
		check(!send_at(5190));
		now = 5400;
		net_settle(&net, false);
		check(arrived() == 1);
		now = 5600;
		net_settle(&net, false);
		check(arrived() == 0 && net.burst.due == CLOCK_NEVER);
		check(send_at(7000) && arrived() == 1 && net.burst.due == CLOCK_NEVER);
	}
}

static void test_burst_ends(void) {
	for (unsigned i = 0; i < BURST_FORMATS; i++) {
		start_burst(i, 900);
		check(!send_at(5910) && arrived() == 0 && net.burst.due == 5900 + 1000);
		net_settle(&net, true); // the guest idles
		check(arrived() == 1 && net.burst.due == CLOCK_NEVER);
		// The next packets are the first again: after a pause, and after one was received.
		check(send_at(5920) && arrived() == 1 && net.burst.due == CLOCK_NEVER);
		net_settle(&net, true);
		check(send_at(5930) && arrived() == 1);
		put_frame(60, 8);
		check(give(0, IN_SIZE) && driver_kick(queues[VIRTIO_NET_RECEIVE]));
		check(send_at(5940) && arrived() == 1 && net.burst.due == CLOCK_NEVER);
		check(send_at(7000) && arrived() == 1 && net.burst.due == CLOCK_NEVER);
		// A packet that is received takes those that wait with it, and a reset drops them.
		check(send_at(7010) && arrived() == 1 && !send_at(7020));
		net_station_notified(&station);
		check(arrived() == 1 && !send_at(7030));
		virtio_set_status(&net.device, 0);
		check(net.burst.due == CLOCK_NEVER);
		net_settle(&net, true);
		check(arrived() == 0);
	}
}

// By event index the driver notifies when a quarter of the ring waits.
static void test_burst_is_bounded(void) {
	for (unsigned i = 1; i < BURST_FORMATS; i += 2) {
		unsigned waiting = 0;

		start_burst(i, 1);
		while (!send_at(5001) && waiting < 64)
			waiting++;
		check_equal(waiting, 64 / 4);
		check_equal(arrived(), waiting + 1);
	}
}

// A packet of the test's own back end.
static uint8_t large[5000];
static bool waits;

static bool large_peek(void *, struct net_packet *packet) {
	if (!waits) return false;
	packet->header = (struct virtio_net_header){.flags = VIRTIO_NET_NEEDS_CSUM, .gso_size = 7};
	packet->length = 5000;
	packet->bytes = large;
	return true;
}

static void large_skip(void *) { waits = false; }

static void start_large(uint64_t features) {
	start(features);
	net.backend.peek = large_peek;
	net.backend.skip = large_skip;
	for (unsigned i = 0; i < sizeof(large); i++)
		large[i] = (uint8_t)(i * 7 + i / 256);
	waits = true;
}

static void test_merges(void) {
	for (unsigned i = 2; i < FORMATS; i++) {
		struct virtio_net_header *header = driver_at(&driver, IN);
		uint8_t *ram = driver.ram;
		uint64_t cookie;
		uint32_t written;

		check_about(names[i]);
		start_large(formats[i]);
		for (unsigned j = 0; j < 5; j++)
			check(give(j, j == 0 ? 1012 : 999));
		check(driver_kick(queues[VIRTIO_NET_RECEIVE]) && waits && net.out_of_buffers);
		check(!driver_reap(queues[VIRTIO_NET_RECEIVE], &cookie, &written));
		check(give(5, 999) && driver_kick(queues[VIRTIO_NET_RECEIVE]) && !waits);
		check(header->num_buffers == 6 && header->flags == 1 && header->gso_size == 7);
		check(memcmp(ram + IN + HEADER, large, 1000) == 0);
		for (unsigned j = 0; j < 6; j++) {
			check(driver_reap(queues[VIRTIO_NET_RECEIVE], &cookie, &written));
			check_equal(cookie, j);
			check_equal(written, j == 0 ? 1012 : j < 5 ? 999 : 4);
			if (j > 0)
				check(memcmp(ram + IN + j * IN_SIZE, large + 1000 + (j - 1) * 999,
					      written) == 0);
		}
		check_equal(driver.interrupts[VIRTIO_NET_RECEIVE], 1);
	}
	// Without merging, what does not fit is dropped and the buffer used for the next one.
	start_large(0);
	check(give(0, 1012) && driver_kick(queues[VIRTIO_NET_RECEIVE]) && !waits);
	check(!(net.device.status & VIRTIO_NEEDS_RESET) && !net.out_of_buffers);
}

static void test_bad(void) {
	const struct driver_buffer small = {OUT, HEADER - 1};

	start(0);
	check(driver_add(queues[VIRTIO_NET_TRANSMIT], &small, 1, 0, 0));
	check(driver_kick(queues[VIRTIO_NET_TRANSMIT]) && net.device.status & VIRTIO_NEEDS_RESET);
	start(0);
	put_frame(60, 1);
	check(driver_add(queues[VIRTIO_NET_RECEIVE], &small, 0, 1, 0));
	check(driver_kick(queues[VIRTIO_NET_RECEIVE]) && net.device.status & VIRTIO_NEEDS_RESET);
	// The frame is not for the driver that comes next.
	virtio_set_status(&net.device, 0);
	open_driver(0);
	check(give(0, IN_SIZE) && driver_kick(queues[VIRTIO_NET_RECEIVE]));
	check(!net.out_of_buffers && driver.ram[IN + HEADER] == 0);
}

static void test_control(void) {
	static const struct {
		uint8_t class, command;
		unsigned pieces;
		uint8_t answer;
	} rows[] = {
		{0, 0, 2, VIRTIO_NET_OK}, {0, 5, 2, VIRTIO_NET_OK}, {0, 6, 2, VIRTIO_NET_ERR},
		{1, 0, 2, VIRTIO_NET_OK}, {1, 1, 2, VIRTIO_NET_ERR}, {2, 0, 2, VIRTIO_NET_ERR},
		{0, 0, 1, VIRTIO_NET_ERR}, // without a value
	};
	const struct driver_buffer buffers[] = {{OUT, 2}, {OUT + 8, 1}};
	struct driver_buffer all[3];
	uint8_t *ram = driver.ram;
	uint8_t config[12];
	uint64_t cookie;
	uint32_t written;

	start(VIRTIO_NET_F_CTRL_VQ | VIRTIO_NET_F_CTRL_RX);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(all, buffers, sizeof(buffers));
		all[rows[i].pieces] = (struct driver_buffer){OUT + 16, 1};
		ram[OUT] = rows[i].class;
		ram[OUT + 1] = rows[i].command;
		check(driver_add(queues[VIRTIO_NET_CONTROL], all, rows[i].pieces, 1, 0));
		check(driver_kick(queues[VIRTIO_NET_CONTROL]));
		check(driver_reap(queues[VIRTIO_NET_CONTROL], &cookie, &written) && written == 1);
		check_equal(ram[OUT + 16], rows[i].answer);
	}
	virtio_config_read(&net.device, 0, config, 12);
	check(memcmp(config, mac, 6) == 0 && config[6] == VIRTIO_NET_LINK_UP);
	net_set_link(&net, false);
	virtio_config_read(&net.device, 0, config, 12);
	check(config[6] == 0 && driver.config_interrupts == 1);
}

static const struct test tests[] = {
	{"net-sends", "Frames go to the switch; what is no frame is dropped", test_sends},
	{"net-room", "When the link is full, the guest's packets wait", test_room},
	{"net-burst",
		"Packets that follow each other are passed on in batches, each within its time",
		test_burst},
	{"net-burst-ends", "A burst ends when the guest idles; a packet after that passes at once",
		test_burst_ends},
	{"net-burst-bounded", "A burst's batch is no more than a quarter of the ring",
		test_burst_is_bounded},
	{"net-receives", "Frames wait for the guest's buffers", test_receives},
	{"net-merges", "A large packet takes several buffers, all or none", test_merges},
	{"net-bad", "Packets and buffers without room for a header break the device", test_bad},
	{"net-control", "Commands are answered; the configuration shows address and link",
		test_control},
};

int main(void) { return check_run(tests, sizeof(tests) / sizeof(tests[0])); }
