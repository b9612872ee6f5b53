// SPDX-License-Identifier: BSD-2-Clause
// Ethernet, ARP, IPv4, ICMP and UDP as bytes of a frame (RFC 826, 791, 792, 768): the parts needed
// for echo requests and replies. Numbers in headers are big endian. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ETHERNET_TARGET = 0, // offsets in a frame
	ETHERNET_SOURCE = 6,
	ETHERNET_KIND = 12,
	ETHERNET_HEADER = 14,
	ETHERNET_ADDRESS = 6, // bytes
	KIND_ARP = 0x0806,
	KIND_IPV4 = 0x0800,

	ARP_FORMAT = 0, // offsets after the Ethernet header
	ARP_SIZES = 4,
	ARP_OPERATION = 6,
	ARP_SENDER_MAC = 8,
	ARP_SENDER_IP = 14,
	ARP_TARGET_MAC = 18,
	ARP_TARGET_IP = 24,
	ARP_SIZE = 28,
	ARP_REQUEST = 1,
	ARP_REPLY = 2,
	ARP_FORMAT_VALUE = 0x00010800, // hardware Ethernet, protocol IPv4
	ARP_SIZES_VALUE = 0x0604, // six and four bytes of address

	IPV4_VERSION = 0,
	IPV4_LENGTH = 2,
	IPV4_FRAGMENT = 6,
	IPV4_LIFETIME = 8,
	IPV4_PROTOCOL = 9,
	IPV4_CHECKSUM = 10,
	IPV4_SOURCE = 12,
	IPV4_TARGET = 16,
	IPV4_HEADER = 20, // without options
	IPV4_VERSION_VALUE = 0x45, // version 4, five words of header
	IPV4_FRAGMENT_MASK = 0x3fff, // more fragments, and the offset of this one
	PROTOCOL_ICMP = 1,
	PROTOCOL_UDP = 17,

	ICMP_KIND = 0, // offsets after the IPv4 header
	ICMP_CODE = 1,
	ICMP_CHECKSUM = 2,
	ICMP_ID = 4,
	ICMP_SEQUENCE = 6,
	ICMP_HEADER = 8,
	ICMP_ECHO_REPLY = 0,
	ICMP_ECHO_REQUEST = 8,

	UDP_SOURCE = 0,
	UDP_TARGET = 2,
	UDP_LENGTH = 4,
	UDP_CHECKSUM = 6,
	UDP_HEADER = 8,
	UDP_PORT_ECHO = 7,
};

// An address for print: its format, and the four values for it.
#define IP_FORMAT "%u.%u.%u.%u"
#define IP_BYTES(ip) (ip) >> 24, (ip) >> 16 & 255, (ip) >> 8 & 255, (ip)&255

static inline uint16_t big16(const uint8_t *bytes) { return (uint16_t)(bytes[0] << 8 | bytes[1]); }

static inline uint32_t big32(const uint8_t *bytes) {
	return (uint32_t)big16(bytes) << 16 | big16(bytes + 2);
}

static inline void big16_set(uint8_t *bytes, uint16_t value) {
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static inline void big32_set(uint8_t *bytes, uint32_t value) {
	big16_set(bytes, (uint16_t)(value >> 16));
	big16_set(bytes + 2, (uint16_t)value);
}

// Sum of 16-bit words, continued from an earlier one that ended at an even byte.
static inline uint32_t checksum_add(uint32_t sum, const uint8_t *bytes, size_t length) {
	for (size_t i = 0; i + 1 < length; i += 2)
		sum += big16(bytes + i);
	if (length % 2) sum += (uint32_t)bytes[length - 1] << 8;
	return sum;
}

// The ones' complement of the folded sum: 0 over bytes that contain their correct checksum.
static inline uint16_t checksum_end(uint32_t sum) {
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

// The sum of what UDP's checksum covers besides the datagram: addresses, protocol, length.
static inline uint32_t udp_pseudo_sum(const uint8_t *ip, size_t length) {
	return checksum_add(0, ip + IPV4_SOURCE, 8) + PROTOCOL_UDP + (uint32_t)length;
}

// A valid header without options and fragments, with all of it and its payload in the frame;
// returns the length the header states, 0 if anything is wrong.
static inline size_t ipv4_check(const uint8_t *ip, size_t available) {
	size_t length;

	if (available < IPV4_HEADER || ip[IPV4_VERSION] != IPV4_VERSION_VALUE) return 0;
	length = big16(ip + IPV4_LENGTH);
	if (length < IPV4_HEADER || length > available ||
		big16(ip + IPV4_FRAGMENT) & IPV4_FRAGMENT_MASK ||
		checksum_end(checksum_add(0, ip, IPV4_HEADER)) != 0)
		return 0;
	return length;
}
