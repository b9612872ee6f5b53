// SPDX-License-Identifier: BSD-2-Clause
// The example mission_computer: what its filter decides, and which deadlines its loop has missed.
#include "test.h"

#include "../../../examples/mission_computer/deadlines.h"
#include "../../../examples/mission_computer/verdict.h"

#include <string.h>

enum {
	PERIOD = 1000,
	FRAME = 1514,
	PORT = 5000,
	IP = ETHERNET_HEADER,
	BODY = ETHERNET_HEADER + IPV4_HEADER,
};

static struct deadlines deadlines;
static uint8_t frame[FRAME];

// The first release is at PERIOD.
static void start(void) { deadlines_start(&deadlines, PERIOD, 0); }

static void check_deadlines(uint64_t iterations, uint64_t missed, uint64_t release) {
	check_equal(deadlines.iterations, iterations);
	check_equal(deadlines.missed, missed);
	check_equal(deadlines.release, release);
}

static void in_time(void) {
	start();
	deadlines_ran(&deadlines, 1000, 1000);
	deadlines_ran(&deadlines, 2030, 2050);
	deadlines_ran(&deadlines, 3010, 3999);
	check_deadlines(3, 0, 4000);
	check_equal(deadlines.latest, 30);
	check_equal(deadlines.longest, 989);
}

static void too_late(void) {
	start();
	// At the end of the period it is over.
	deadlines_ran(&deadlines, 1999, 2000);
	check_deadlines(1, 1, 3000);
	deadlines_ran(&deadlines, 3000, 3999);
	check_deadlines(2, 1, 4000);
	// Three periods have none, the fourth has this one.
	deadlines_ran(&deadlines, 7100, 7200);
	check_deadlines(3, 4, 8000);
	check_equal(deadlines.latest, 3100);
}

static void too_long(void) {
	start();
	deadlines_ran(&deadlines, 1000, 3500);
	check_deadlines(1, 2, 4000);
	check_equal(deadlines.longest, 2500);
	check_equal(deadlines.latest, 0);
}

static void never(void) {
	start();
	check_equal(deadlines_overdue(&deadlines, 0), 0);
	check_equal(deadlines_overdue(&deadlines, 1999), 0);
	check_equal(deadlines_overdue(&deadlines, 2000), 1);
	check_equal(deadlines_overdue(&deadlines, 101000), 100);
}

// Whatever comes, each period has an iteration that ended in it, or is missed.
static void sum_of_periods(void) {
	uint64_t now = 0;

	start();
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t begin = deadlines.release + i * 7919 % 2500;

		now = begin + i * 104729 % 3100;
		deadlines_ran(&deadlines, begin, now);
		check(deadlines.release > now && deadlines.release <= now + PERIOD);
		check_equal(deadlines.iterations + deadlines.missed, now / PERIOD);
	}
	check(deadlines.missed > 0);
}

// A datagram with a correct header; returns the frame's length.
static size_t make_ipv4(uint8_t protocol, size_t payload) {
	uint8_t *ip = frame + IP;

	memset(frame, 0, sizeof(frame));
	big16_set(frame + ETHERNET_KIND, KIND_IPV4);
	ip[IPV4_VERSION] = IPV4_VERSION_VALUE;
	big16_set(ip + IPV4_LENGTH, (uint16_t)(IPV4_HEADER + payload));
	ip[IPV4_LIFETIME] = 64;
	ip[IPV4_PROTOCOL] = protocol;
	big16_set(ip + IPV4_CHECKSUM, checksum_end(checksum_add(0, ip, IPV4_HEADER)));
	return BODY + payload;
}

static enum verdict on_ports(uint8_t protocol, uint16_t source, uint16_t target, uint8_t flags) {
	size_t length = make_ipv4(protocol, TCP_HEADER);

	big16_set(frame + BODY, source);
	big16_set(frame + BODY + 2, target);
	if (protocol == PROTOCOL_TCP) frame[BODY + TCP_FLAGS] = flags;
	return verdict_on(frame, length, PORT);
}

static void kinds(void) {
	memset(frame, 0, sizeof(frame));
	big16_set(frame + ETHERNET_KIND, KIND_ARP);
	check_equal(verdict_on(frame, ETHERNET_HEADER + ARP_SIZE, PORT), PASS_ARP);
	check_equal(verdict_on(frame, ETHERNET_HEADER + ARP_SIZE - 1, PORT), DROP_BROKEN);
	big16_set(frame + ETHERNET_KIND, 0x86dd);
	check_equal(verdict_on(frame, 100, PORT), DROP_KIND);
	// A tag of a virtual network hides what is behind it.
	big16_set(frame + ETHERNET_KIND, 0x8100);
	check_equal(verdict_on(frame, 100, PORT), DROP_KIND);
	check_equal(verdict_on(frame, make_ipv4(47, 64), PORT), DROP_PROTOCOL);
}

static enum verdict on_icmp(uint8_t kind, size_t payload) {
	size_t length = make_ipv4(PROTOCOL_ICMP, payload);

	frame[BODY] = kind;
	return verdict_on(frame, length, PORT);
}

static void pings(void) {
	check_equal(on_icmp(ICMP_ECHO_REQUEST, 64), PASS_PING);
	check_equal(on_icmp(ICMP_ECHO_REPLY, ICMP_HEADER), PASS_PING);
	check_equal(on_icmp(ICMP_ECHO_REPLY, ICMP_HEADER - 1), DROP_BROKEN);
	check_equal(on_icmp(5, 64), DROP_PROTOCOL); // a redirect
	check_equal(on_icmp(9, 64), DROP_PROTOCOL); // a router's advertisement
}

static void ports(void) {
	check_equal(on_ports(PROTOCOL_UDP, 40000, PORT, 0), PASS_UDP);
	check_equal(on_ports(PROTOCOL_UDP, PORT, 40000, 0), DROP_UDP);
	check_equal(on_ports(PROTOCOL_UDP, 40000, PORT_SSH, 0), DROP_UDP);
	check_equal(on_ports(PROTOCOL_TCP, 40000, PORT_SSH, TCP_SYN), PASS_SSH);
	check_equal(on_ports(PROTOCOL_TCP, PORT_SSH, 40000, TCP_SYN | TCP_ACK), PASS_SSH);
	check_equal(on_ports(PROTOCOL_TCP, PORT_SSH, 40000, TCP_ACK), PASS_SSH);
	// No connection is opened from there.
	check_equal(on_ports(PROTOCOL_TCP, PORT_SSH, 40000, TCP_SYN), DROP_TCP);
	check_equal(on_ports(PROTOCOL_TCP, 40000, PORT, TCP_ACK), DROP_TCP);
}

static void broken(void) {
	size_t length = make_ipv4(PROTOCOL_ICMP, 64);

	for (size_t cut = ETHERNET_HEADER; cut < length; cut++)
		check_equal(verdict_on(frame, cut, PORT), DROP_BROKEN);
	for (size_t i = IP; i < BODY; i++) {
		make_ipv4(PROTOCOL_ICMP, 64);
		frame[i] ^= 0x10;
		check(verdict_on(frame, length, PORT) >= FIRST_DROP);
	}
	// Whole datagrams without a whole header of theirs.
	check_equal(verdict_on(frame, make_ipv4(PROTOCOL_TCP, TCP_HEADER - 1), PORT), DROP_BROKEN);
	check_equal(verdict_on(frame, make_ipv4(PROTOCOL_UDP, UDP_HEADER - 1), PORT), DROP_BROKEN);
}

// The ports of later fragments are in the first one, which could be overwritten.
static void fragments(void) {
	for (unsigned bits = 1; bits <= IPV4_FRAGMENT_MASK; bits <<= 1) {
		size_t length = make_ipv4(PROTOCOL_UDP, 64);

		big16_set(frame + BODY + UDP_TARGET, PORT);
		big16_set(frame + IP + IPV4_FRAGMENT, (uint16_t)bits);
		check_equal(verdict_on(frame, length, PORT), DROP_FRAGMENT);
	}
}

static const struct test rows[] = {
	{"user/mission/in-time", "an iteration that ends in its period misses nothing", in_time},
	{"user/mission/too-late", "a late one misses the periods that are over", too_late},
	{"user/mission/too-long", "so does a long one", too_long},
	{"user/mission/never", "a loop that does not come back is overdue", never},
	{"user/mission/sum", "each period has an end of an iteration or is missed", sum_of_periods},
	{"user/mission/kinds", "ARP passes, what is neither ARP nor IPv4 does not", kinds},
	{"user/mission/pings", "echo and its answer pass, other ICMP does not", pings},
	{"user/mission/ports", "ssh and one port of UDP pass, others do not", ports},
	{"user/mission/broken", "a frame with a wrong header does not pass", broken},
	{"user/mission/fragments", "a fragment does not pass", fragments},
};

const struct tests mission_tests = {rows, array_count(rows)};
