// SPDX-License-Identifier: BSD-2-Clause
// Requests to a host and the replies expected.
#include <services/pinger/ask.h>

#include <base/memory.h>

enum {
	LIFETIME = 64,
	ID = 0x4e61,
	UDP_PORT_OWN = 40000,
	IP = ETHERNET_HEADER,
	PAYLOAD = ETHERNET_HEADER + IPV4_HEADER, // of IP
};

static void write_ethernet(const struct ask *ask, uint8_t *frame, uint16_t kind) {
	memcpy(frame + ETHERNET_TARGET, ask->peer.mac, ETHERNET_ADDRESS);
	memcpy(frame + ETHERNET_SOURCE, ask->own.mac, ETHERNET_ADDRESS);
	big16_set(frame + ETHERNET_KIND, kind);
}

static uint8_t payload_byte(const struct ask *ask, size_t i) {
	return (uint8_t)(ask->number * 7 + i);
}

static void write_payload(const struct ask *ask, uint8_t *bytes) {
	for (size_t i = 0; i < ask->payload; i++)
		bytes[i] = payload_byte(ask, i);
}

static bool payload_is_right(const struct ask *ask, const uint8_t *bytes) {
	for (size_t i = 0; i < ask->payload; i++) {
		if (bytes[i] != payload_byte(ask, i)) return false;
	}
	return true;
}

// Header of an IP packet with `length` payload bytes; returns the length of the frame.
static size_t write_ip(const struct ask *ask, uint8_t *frame, uint8_t protocol, size_t length) {
	uint8_t *ip = frame + IP;

	write_ethernet(ask, frame, KIND_IPV4);
	memset(ip, 0, IPV4_HEADER);
	ip[IPV4_VERSION] = IPV4_VERSION_VALUE;
	big16_set(ip + IPV4_LENGTH, (uint16_t)(IPV4_HEADER + length));
	ip[IPV4_LIFETIME] = LIFETIME;
	ip[IPV4_PROTOCOL] = protocol;
	big32_set(ip + IPV4_SOURCE, ask->own.ip);
	big32_set(ip + IPV4_TARGET, ask->peer.ip);
	big16_set(ip + IPV4_CHECKSUM, checksum_end(checksum_add(0, ip, IPV4_HEADER)));
	return PAYLOAD + length;
}

size_t ask_arp(const struct ask *ask, uint8_t *frame) {
	uint8_t *arp = frame + ETHERNET_HEADER;

	write_ethernet(ask, frame, KIND_ARP);
	memset(frame + ETHERNET_TARGET, 0xff, ETHERNET_ADDRESS);
	memset(arp, 0, ARP_SIZE);
	big32_set(arp + ARP_FORMAT, ARP_FORMAT_VALUE);
	big16_set(arp + ARP_SIZES, ARP_SIZES_VALUE);
	big16_set(arp + ARP_OPERATION, ARP_REQUEST);
	memcpy(arp + ARP_SENDER_MAC, ask->own.mac, ETHERNET_ADDRESS);
	big32_set(arp + ARP_SENDER_IP, ask->own.ip);
	big32_set(arp + ARP_TARGET_IP, ask->peer.ip);
	return ETHERNET_HEADER + ARP_SIZE;
}

size_t ask_ping(const struct ask *ask, uint8_t *frame) {
	uint8_t *icmp = frame + PAYLOAD;
	size_t length = ICMP_HEADER + ask->payload;

	memset(icmp, 0, ICMP_HEADER);
	icmp[ICMP_KIND] = ICMP_ECHO_REQUEST;
	big16_set(icmp + ICMP_ID, ID);
	big16_set(icmp + ICMP_SEQUENCE, ask->number);
	write_payload(ask, icmp + ICMP_HEADER);
	big16_set(icmp + ICMP_CHECKSUM, checksum_end(checksum_add(0, icmp, length)));
	return write_ip(ask, frame, PROTOCOL_ICMP, length);
}

size_t ask_udp(const struct ask *ask, uint8_t *frame) {
	uint8_t *udp = frame + PAYLOAD;
	size_t length = UDP_HEADER + ask->payload;
	size_t total = write_ip(ask, frame, PROTOCOL_UDP, length);
	uint16_t sum;

	memset(udp, 0, UDP_HEADER);
	big16_set(udp + UDP_SOURCE, UDP_PORT_OWN);
	big16_set(udp + UDP_TARGET, UDP_PORT_ECHO);
	big16_set(udp + UDP_LENGTH, (uint16_t)length);
	write_payload(ask, udp + UDP_HEADER);
	sum = checksum_end(checksum_add(udp_pseudo_sum(frame + IP, length), udp, length));
	big16_set(udp + UDP_CHECKSUM, sum == 0 ? 0xffff : sum);
	return total;
}

static bool is_from_peer(
	const struct ask *ask, const uint8_t *frame, size_t length, uint16_t kind) {
	return length >= ETHERNET_HEADER && big16(frame + ETHERNET_KIND) == kind &&
		memcmp(frame + ETHERNET_TARGET, ask->own.mac, ETHERNET_ADDRESS) == 0;
}

bool ask_arp_answered(struct ask *ask, const uint8_t *frame, size_t length) {
	const uint8_t *arp = frame + ETHERNET_HEADER;

	if (length < ETHERNET_HEADER + ARP_SIZE || !is_from_peer(ask, frame, length, KIND_ARP) ||
		big16(arp + ARP_OPERATION) != ARP_REPLY ||
		big32(arp + ARP_SENDER_IP) != ask->peer.ip ||
		big32(arp + ARP_TARGET_IP) != ask->own.ip ||
		memcmp(arp + ARP_SENDER_MAC, frame + ETHERNET_SOURCE, ETHERNET_ADDRESS) != 0)
		return false;
	memcpy(ask->peer.mac, arp + ARP_SENDER_MAC, ETHERNET_ADDRESS);
	return true;
}

// An IP packet of the peer with that protocol and exactly `payload` bytes after the header.
static bool is_ip_answer(
	const struct ask *ask, const uint8_t *frame, size_t length, uint8_t protocol) {
	const uint8_t *ip = frame + IP;

	return is_from_peer(ask, frame, length, KIND_IPV4) &&
		memcmp(frame + ETHERNET_SOURCE, ask->peer.mac, ETHERNET_ADDRESS) == 0 &&
		ipv4_check(ip, length - ETHERNET_HEADER) ==
		IPV4_HEADER + ICMP_HEADER + ask->payload &&
		ip[IPV4_PROTOCOL] == protocol && big32(ip + IPV4_SOURCE) == ask->peer.ip &&
		big32(ip + IPV4_TARGET) == ask->own.ip;
}

_Static_assert(ICMP_HEADER == (int)UDP_HEADER);

bool ask_ping_answered(struct ask *ask, const uint8_t *frame, size_t length) {
	const uint8_t *icmp = frame + PAYLOAD;

	return is_ip_answer(ask, frame, length, PROTOCOL_ICMP) &&
		checksum_end(checksum_add(0, icmp, ICMP_HEADER + ask->payload)) == 0 &&
		icmp[ICMP_KIND] == ICMP_ECHO_REPLY && icmp[ICMP_CODE] == 0 &&
		big16(icmp + ICMP_ID) == ID && big16(icmp + ICMP_SEQUENCE) == ask->number &&
		payload_is_right(ask, icmp + ICMP_HEADER);
}

bool ask_udp_answered(struct ask *ask, const uint8_t *frame, size_t length) {
	const uint8_t *udp = frame + PAYLOAD;
	size_t udp_length = UDP_HEADER + ask->payload;

	return is_ip_answer(ask, frame, length, PROTOCOL_UDP) &&
		big16(udp + UDP_SOURCE) == UDP_PORT_ECHO &&
		big16(udp + UDP_TARGET) == UDP_PORT_OWN && big16(udp + UDP_LENGTH) == udp_length &&
		big16(udp + UDP_CHECKSUM) != 0 &&
		checksum_end(checksum_add(
			udp_pseudo_sum(frame + IP, udp_length), udp, udp_length)) == 0 &&
		payload_is_right(ask, udp + UDP_HEADER);
}
