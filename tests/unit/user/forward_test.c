// SPDX-License-Identifier: BSD-2-Clause
// Frames through the switch, between stations that take work on them and a card that does not.
#include "test.h"

#include <nacre/net/ipv4.h>
#include <services/vswitch/forward.h>

#include <stdlib.h>
#include <string.h>

enum { CARD = 1, STATION_A = 2, STATION_B = 3, PLAIN = 4, PORTS = 5, HEADERS = 54 };

static const char text[] = "port 1 open\nport 2 mac 52:54:00:00:00:0a\n"
			   "port 3 mac 52:54:00:00:00:0b\nport 4 mac 52:54:00:00:00:0c\n";
static struct forwarder *forwarder;
static struct net_link *links;
static struct net_end stations[PORTS];
static uint8_t frame[NET_LARGE_MAX];
static uint8_t got[NET_LARGE_MAX];
static struct net_header left;
static unsigned told[PORTS];
static bool drains; // the card, when it is notified

static uint32_t receive(unsigned port) {
	struct net_frame next;

	if (!net_receive_large(&stations[port].in, &next, &left)) return 0;
	memcpy(got, next.bytes, next.length);
	net_return(&stations[port].in, next.buffer);
	return next.length;
}

static void tell(unsigned port) {
	told[port]++;
	while (drains && port == CARD && receive(port) > 0)
		;
}

static void start(void) {
	struct settings settings = {.text = text, .size = sizeof(text) - 1};

	free(forwarder);
	free(links);
	forwarder = calloc(1, sizeof(*forwarder));
	links = aligned_alloc(4096, PORTS * sizeof(*links) + 4096 - PORTS * sizeof(*links) % 4096);
	memset(links, 0, PORTS * sizeof(*links));
	memset(told, 0, sizeof(told));
	drains = false;
	check(forwarder && links && switch_read(&forwarder->table, &settings) == 0);
	forwarder->tell = tell;
	for (unsigned i = 1; i < PORTS; i++)
		check(forward_attach(forwarder, i, &links[i]) &&
			net_attach(&stations[i], &links[i], NET_TO_SWITCH));
	net_take_work(&stations[STATION_A].in, NET_ALL_WORK);
	net_take_work(&stations[STATION_B].in, NET_ALL_WORK);
}

// A TCP packet of A with so many bytes of payload; `last` is the end of its target's address.
static struct net_header make(uint32_t payload, uint8_t last) {
	uint8_t *ip = frame + ETHERNET_HEADER;
	uint32_t sum = 6 + 20 + payload;

	memcpy(frame, "\x52\x54\0\0\0\0\x52\x54\0\0\0\x0a\x08\0", ETHERNET_HEADER);
	frame[5] = last;
	if (last == 0xff) memset(frame, 0xff, 6);
	memset(ip, 0, 40);
	ip[0] = IPV4_VERSION_VALUE;
	big16_set(ip + IPV4_LENGTH, (uint16_t)(40 + payload));
	ip[IPV4_PROTOCOL] = 6;
	big16_set(ip + IPV4_CHECKSUM, checksum_end(checksum_add(0, ip, IPV4_HEADER)));
	ip[32] = 0x50;
	big16_set(ip + 36, (uint16_t)~checksum_end(sum));
	for (uint32_t i = 0; i < payload; i++)
		frame[HEADERS + i] = (uint8_t)(i * 7 + i / 253);
	return (struct net_header){NET_NEEDS_CHECKSUM,
		payload > 1460 ? NET_SEGMENTS_TCP4 : NET_SEGMENTS_NONE, 0, 1460, 34, 16};
}

static bool send(unsigned port, const struct net_header *header, uint32_t length) {
	struct net_sender *out = &stations[port].out;
	int buffer = net_take_run(out, length);

	if (buffer == NET_NO_BUFFER) return false;
	memcpy(net_bytes(out, (unsigned)buffer), frame, length);
	net_send_large(out, (unsigned)buffer, header, length);
	while (forward_batch(forwarder, port))
		;
	return true;
}

static bool is_complete(uint32_t length) {
	uint32_t sum = 6 + (length - 34) + checksum_add(0, got + 34, length - 34);

	return net_needs(&left) == 0 && big16(got + 16) == length - ETHERNET_HEADER &&
		checksum_end(sum) == 0 &&
		checksum_end(checksum_add(0, got + ETHERNET_HEADER, IPV4_HEADER)) == 0;
}

static void takers(void) {
	struct net_header header;

	start();
	header = make(60000, 0x0b);
	for (unsigned i = 0; i < 10; i++) {
		check(send(STATION_A, &header, HEADERS + 60000));
		check_equal(receive(STATION_B), HEADERS + 60000);
		check(memcmp(got, frame, HEADERS + 60000) == 0);
		check(left.kind == NET_SEGMENTS_TCP4 && left.segment == 1460);
		check(left.headers == HEADERS && left.flags == NET_NEEDS_CHECKSUM);
	}
	check(receive(STATION_B) == 0 && receive(CARD) == 0 && receive(PLAIN) == 0);
	check_equal(forwarder->counts[STATION_B].unfinished, 10);
	header = make(99, 0x0b);
	check(send(STATION_A, &header, HEADERS + 99) && receive(STATION_B) == HEADERS + 99);
	check(net_needs(&left) == NET_CHECKSUM && !is_complete(HEADERS + 99));
	// One that no longer takes segments gets them cut.
	net_take_work(&stations[STATION_B].in, NET_CHECKSUM);
	header = make(2000, 0x0b);
	check(send(STATION_A, &header, HEADERS + 2000));
	check(receive(STATION_B) == 1514 && receive(STATION_B) == HEADERS + 540);
}

static void plain(void) {
	struct net_header header;
	uint32_t place = 0, length;

	start();
	header = make(40000, 0x0c);
	check(send(STATION_A, &header, HEADERS + 40000));
	while ((length = receive(PLAIN)) > 0) {
		check(length <= NET_FRAME_MAX && is_complete(length));
		check(memcmp(got + HEADERS, frame + HEADERS + place, length - HEADERS) == 0);
		place += length - HEADERS;
	}
	check(place == 40000 && forwarder->counts[PLAIN].unfinished == 0);
	check_equal(forwarder->counts[PLAIN].given, 28);
	header = make(1460, 0x0c);
	check(send(STATION_A, &header, 1514) && receive(PLAIN) == 1514 && is_complete(1514));
}

// All get the packet, each in its form.
static void groups(void) {
	struct net_header header;

	start();
	header = make(1000, 0xff);
	check(send(STATION_A, &header, HEADERS + 1000));
	check(receive(STATION_B) == HEADERS + 1000 && net_needs(&left) == NET_CHECKSUM);
	check(receive(PLAIN) == HEADERS + 1000 && is_complete(HEADERS + 1000));
	check(receive(CARD) == HEADERS + 1000 && is_complete(HEADERS + 1000));
	check(receive(STATION_A) == 0);
	header = make(2920, 0xff);
	check(send(STATION_A, &header, HEADERS + 2920));
	check(receive(STATION_B) == HEADERS + 2920);
	check(receive(PLAIN) == 1514 && receive(PLAIN) == 1514 && receive(PLAIN) == 0);
	check(receive(CARD) == 1514 && receive(CARD) == 1514 && receive(CARD) == 0);
}

// A port that reads nothing gets half of its buffers' segments; a card's driver makes room.
static void room(void) {
	struct net_header header;

	start();
	header = make(64240, 0x0c);
	check(send(STATION_A, &header, HEADERS + 64240));
	check(forwarder->counts[PLAIN].given == 32 && forwarder->counts[PLAIN].dropped == 1);
	check(told[PLAIN] == 1);
	drains = true;
	header = make(64240, 0x99);
	check(send(STATION_A, &header, HEADERS + 64240));
	check(forwarder->counts[CARD].given == 44 && forwarder->counts[CARD].dropped == 0);
	// A second large one does not wait until the first is taken.
	header = make(64240, 0x0b);
	check(send(STATION_A, &header, HEADERS + 64240));
	check(send(STATION_A, &header, HEADERS + 64240));
	check(forwarder->counts[STATION_B].given == 1 && forwarder->counts[STATION_B].dropped == 1);
}

static void refused(void) {
	struct net_header header, wrong;

	start();
	header = make(3000, 0x0b);
	for (unsigned i = 0; i < 6; i++) {
		wrong = header;
		wrong.flags = i == 0 ? 0 : wrong.flags;
		wrong.kind = i == 1 ? 3 : wrong.kind;
		wrong.segment = i == 2 ? 0 : wrong.segment;
		wrong.checksum_start = i == 3 ? 6 : wrong.checksum_start;
		wrong.checksum_offset = i == 4 ? 0xffff : wrong.checksum_offset;
		frame[11] = i == 5 ? 0x0b : 0x0a; // another's address
		check(send(STATION_A, &wrong, HEADERS + 3000));
	}
	check_equal(forwarder->counts[STATION_A].refused, 6);
	check(receive(STATION_B) == 0 && receive(CARD) == 0);
}

static const struct test rows[] = {
	{"user/forward/takers", "a large frame goes as it is to one that takes it", takers},
	{"user/forward/plain", "one that does not gets complete packets", plain},
	{"user/forward/groups", "each of a group gets its form", groups},
	{"user/forward/room", "segments without room are dropped, and others not", room},
	{"user/forward/refused", "what cannot be completed goes nowhere", refused},
};

const struct tests forward_tests = {rows, array_count(rows)};
