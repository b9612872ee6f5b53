// SPDX-License-Identifier: BSD-2-Clause
// A host that answers and one that asks, face to face, and questions that get no answer.
#include "test.h"

#include <services/echo/answer.h>
#include <services/pinger/ask.h>
#include <string.h>

enum { FRAME = 1514, IP = 14, BODY = 34 };

static const struct echo_host host = {{0x52, 0x54, 0, 0, 0, 0x0a}, 0x0a00020f};
static uint8_t frame[FRAME];

static struct ask asking(size_t payload) {
	return (struct ask){
		.own = {{0x52, 0x54, 0, 0, 0, 0x0c}, 0x0a000211},
		.peer = {{0x52, 0x54, 0, 0, 0, 0x0a}, 0x0a00020f},
		.number = 7,
		.payload = payload,
	};
}

static void arp(void) {
	struct ask ask = asking(0);
	struct echo_answer answer;

	memset(ask.peer.mac, 0, sizeof(ask.peer.mac));
	answer = echo_answer(&host, frame, ask_arp(&ask, frame));
	check(answer.kind == ECHO_ARP && answer.to == ask.own.ip);
	check(ask_arp_answered(&ask, frame, answer.length));
	check(memcmp(ask.peer.mac, host.mac, sizeof(host.mac)) == 0);
	ask.peer.ip++;
	check(!ask_arp_answered(&ask, frame, answer.length));
	check(echo_answer(&host, frame, ask_arp(&ask, frame)).kind == ECHO_NOTHING);
}

static void all_sizes(void) {
	for (size_t size = 0; size <= FRAME - 42; size++) {
		struct ask ask = asking(size);
		struct echo_answer answer = echo_answer(&host, frame, ask_ping(&ask, frame));

		check(answer.kind == ECHO_PING && answer.length == size + 42);
		check(ask_ping_answered(&ask, frame, answer.length));
		check(!ask_udp_answered(&ask, frame, answer.length));
		answer = echo_answer(&host, frame, ask_udp(&ask, frame));
		check(answer.kind == ECHO_UDP && answer.to == ask.own.ip);
		check(ask_udp_answered(&ask, frame, answer.length));
		check(!ask_ping_answered(&ask, frame, answer.length));
		// Short frames are padded on the wire.
		if (answer.length < 60) check(ask_udp_answered(&ask, frame, 60));
	}
}

// The answer to a ping of which one byte was changed; pads of the frame do not count.
static void damaged(void) {
	struct ask ask = asking(32);
	size_t length = ask_ping(&ask, frame);

	for (size_t i = 0; i < length; i++) {
		enum echo_answered kind;

		ask_ping(&ask, frame);
		frame[i] ^= 1;
		kind = echo_answer(&host, frame, length).kind;
		// Who the source says it is, is the switch's to judge.
		check(kind == (i >= 6 && i < 12 ? ECHO_PING : ECHO_NOTHING));
	}
	for (size_t cut = 0; cut < length; cut++) {
		ask_ping(&ask, frame);
		check(echo_answer(&host, frame, cut).kind == ECHO_NOTHING);
	}
}

static void repair(uint8_t *ip) {
	big16_set(ip + IPV4_CHECKSUM, 0);
	big16_set(ip + IPV4_CHECKSUM, checksum_end(checksum_add(0, ip, IPV4_HEADER)));
}

static enum echo_answered answered_with(unsigned offset, uint16_t value) {
	struct ask ask = asking(32);
	size_t length = ask_udp(&ask, frame);

	big16_set(frame + offset, value);
	big16_set(frame + BODY + UDP_CHECKSUM, 0);
	repair(frame + IP);
	return echo_answer(&host, frame, length).kind;
}

static void not_answered(void) {
	check(answered_with(BODY + UDP_SOURCE, 1234) == ECHO_UDP);
	check(answered_with(BODY + UDP_SOURCE, UDP_PORT_ECHO) == ECHO_NOTHING);
	check(answered_with(BODY + UDP_TARGET, 8) == ECHO_NOTHING);
	check(answered_with(BODY + UDP_LENGTH, 39) == ECHO_NOTHING);
	check(answered_with(BODY + UDP_LENGTH, 41) == ECHO_NOTHING);
	check(answered_with(IP + IPV4_FRAGMENT, 0x4000) == ECHO_UDP);
	check(answered_with(IP + IPV4_FRAGMENT, 0x2000) == ECHO_NOTHING);
	check(answered_with(IP + IPV4_FRAGMENT, 1) == ECHO_NOTHING);
	check(answered_with(IP + IPV4_VERSION, 0x4600) == ECHO_NOTHING);
	check(answered_with(IP + IPV4_LENGTH, 19) == ECHO_NOTHING);
	check(answered_with(IP + IPV4_LENGTH, 61) == ECHO_NOTHING);
	check(answered_with(IP + IPV4_SOURCE, 0xe000) == ECHO_NOTHING);
	check(answered_with(IP + IPV4_SOURCE, 0xffff) == ECHO_NOTHING);
	check(answered_with(IP + IPV4_TARGET, 0x0a01) == ECHO_NOTHING);
}

static const struct test rows[] = {
	{"user/echo/arp", "who asks for the address gets it, others nothing", arp},
	{"user/echo/sizes", "pings and datagrams of every size are answered", all_sizes},
	{"user/echo/damaged", "a frame with a changed byte or cut short is not answered", damaged},
	{"user/echo/not-answered", "echo servers, fragments, groups and wrong lengths get nothing",
		not_answered},
};

const struct tests echo_tests = {rows, array_count(rows)};
