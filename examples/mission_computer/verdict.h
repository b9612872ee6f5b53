// SPDX-License-Identifier: BSD-2-Clause
// What the filter decides of a frame, by the frame alone. Pure.
#pragma once

#include <nacre/net/ipv4.h>

enum verdict {
	PASS_ARP,
	PASS_PING, // ICMP's echo and its answer, not what changes routes
	PASS_SSH,
	PASS_UDP, // to the port that the description names
	DROP_KIND, // neither ARP nor IPv4: IPv6, for one
	DROP_BROKEN, // wrong lengths or checksum, or options, which no one here needs
	DROP_FRAGMENT, // of a datagram: where it leads to is in the first one only
	DROP_PROTOCOL, // neither ICMP's echo nor TCP nor UDP
	DROP_TCP, // other ports
	DROP_UDP,
	VERDICTS,
	FIRST_DROP = DROP_KIND,
};

enum {
	PROTOCOL_TCP = 6,
	TCP_SOURCE = 0, // offsets after the IPv4 header (RFC 9293 3.1)
	TCP_TARGET = 2,
	TCP_FLAGS = 13,
	TCP_HEADER = 20,
	TCP_SYN = 1 << 1,
	TCP_ACK = 1 << 4,
	PORT_SSH = 22,
};

enum {
	SIDES = 2,
};

// One writer; others may read it while it changes.
struct filter_counts {
	uint64_t frames[SIDES][VERDICTS]; // from that side
	uint64_t overflows[SIDES]; // that could pass and found no room
};

// Answers come from the port, too; but no connection is opened from there.
static inline enum verdict verdict_on_tcp(const uint8_t *tcp, size_t length) {
	if (length < TCP_HEADER) return DROP_BROKEN;
	if (big16(tcp + TCP_TARGET) == PORT_SSH) return PASS_SSH;
	if (big16(tcp + TCP_SOURCE) != PORT_SSH) return DROP_TCP;
	return (tcp[TCP_FLAGS] & (TCP_SYN | TCP_ACK)) == TCP_SYN ? DROP_TCP : PASS_SSH;
}

static inline enum verdict verdict_on_udp(const uint8_t *udp, size_t length, uint16_t port) {
	if (length < UDP_HEADER) return DROP_BROKEN;
	return big16(udp + UDP_TARGET) == port ? PASS_UDP : DROP_UDP;
}

static inline enum verdict verdict_on_icmp(const uint8_t *icmp, size_t length) {
	if (length < ICMP_HEADER) return DROP_BROKEN;
	return icmp[ICMP_KIND] == ICMP_ECHO_REQUEST || icmp[ICMP_KIND] == ICMP_ECHO_REPLY
		? PASS_PING
		: DROP_PROTOCOL;
}

static inline enum verdict verdict_on_ipv4(const uint8_t *ip, size_t available, uint16_t port) {
	size_t length;

	if (available < IPV4_HEADER) return DROP_BROKEN;
	if (big16(ip + IPV4_FRAGMENT) & IPV4_FRAGMENT_MASK) return DROP_FRAGMENT;
	length = ipv4_check(ip, available);
	if (length == 0) return DROP_BROKEN;
	switch (ip[IPV4_PROTOCOL]) {
	case PROTOCOL_ICMP: return verdict_on_icmp(ip + IPV4_HEADER, length - IPV4_HEADER);
	case PROTOCOL_TCP: return verdict_on_tcp(ip + IPV4_HEADER, length - IPV4_HEADER);
	case PROTOCOL_UDP: return verdict_on_udp(ip + IPV4_HEADER, length - IPV4_HEADER, port);
	default: return DROP_PROTOCOL;
	}
}

// A frame of at least an Ethernet header; port: where UDP datagrams may go to.
static inline enum verdict verdict_on(const uint8_t *frame, size_t length, uint16_t port) {
	const uint8_t *packet = frame + ETHERNET_HEADER;
	size_t available = length - ETHERNET_HEADER;

	switch (big16(frame + ETHERNET_KIND)) {
	case KIND_ARP: return available < ARP_SIZE ? DROP_BROKEN : PASS_ARP;
	case KIND_IPV4: return verdict_on_ipv4(packet, available, port);
	default: return DROP_KIND;
	}
}
