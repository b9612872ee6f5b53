// SPDX-License-Identifier: BSD-2-Clause
// Checksums (RFC 1071) and TCP segments (RFC 9293, RFC 8200 for IPv6; RFC 3168 for CWR).
#include <lib/net/offload.h>

#include <base/memory.h>
#include <nacre/net/ipv4.h>
#include <nacre/net/large.h>

enum {
	KIND_IPV6 = 0x86dd,
	KIND_VLAN = 0x8100, // IEEE 802.1Q, 9.6; four bytes before the kind of what is in it
	KIND_VLAN_SERVICE = 0x88a8,
	VLAN_TAGS = 2,
	VLAN_TAG = 4,

	IPV4_ID = 4,
	IPV6_LENGTH = 4,
	IPV6_NEXT = 6,
	IPV6_HEADER = 40,
	IPV6_HOP_BY_HOP = 0, // headers that may stand between those of IPv6 and TCP
	IPV6_ROUTING = 43,
	IPV6_DESTINATION = 60,
	IPV6_UNIT = 8, // of the length of such a header
	PROTOCOL_TCP = 6,

	TCP_SEQUENCE = 4,
	TCP_OFFSET = 12, // words of header in its high half
	TCP_FLAGS = 13,
	TCP_FIN = 0x01,
	TCP_PUSH = 0x08,
	TCP_CWR = 0x80,
	TCP_CHECKSUM = 16,
	TCP_HEADER = 20,
};

static uint32_t smaller(uint32_t one, uint32_t other) { return one < other ? one : other; }

static uint16_t fold(uint64_t sum) {
	sum = (sum & UINT32_MAX) + (sum >> 32);
	sum = (sum & UINT32_MAX) + (sum >> 32);
	return (uint16_t)~checksum_end((uint32_t)(sum >> 16) + (uint32_t)(sum & 0xffff));
}

// As checksum_add and folded; eight bytes at a time, as ones' complement sums do not depend on the
// order of bytes but for the result's (RFC 1071, 2).
static uint16_t sum_of(const uint8_t *bytes, uint32_t length) {
	uint64_t sum = 0;
	uint32_t place = 0;

	for (; length - place >= sizeof(uint64_t); place += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, bytes + place, sizeof(word));
		sum += (word & UINT32_MAX) + (word >> 32);
	}
	return fold((uint64_t)__builtin_bswap16(fold(sum)) +
		checksum_add(0, bytes + place, length - place));
}

// Replaces the sum at the place by the checksum of all from `start` on. One that comes out as 0 is
// sent as its other form, since a 0 means none in UDP (RFC 768).
static void complete(uint8_t *bytes, uint32_t start, uint32_t place, uint32_t length) {
	uint16_t checksum = (uint16_t)~sum_of(bytes + start, length - start);

	big16_set(bytes + place, checksum == 0 ? 0xffff : checksum);
}

// The place of the IP header, behind at most two tags; 0 when there is none of that version.
static uint32_t find_ip(const uint8_t *frame, uint32_t length, uint16_t wanted) {
	uint32_t place = ETHERNET_HEADER;

	for (unsigned i = 0; place <= length && i <= VLAN_TAGS; i++) {
		uint16_t kind = big16(frame + place - 2);

		if (kind == wanted) return place;
		if (kind != KIND_VLAN && kind != KIND_VLAN_SERVICE) return 0;
		place += VLAN_TAG;
	}
	return 0;
}

// The offset of TCP behind headers that are whole, from the start of the IP header; 0 for none.
static uint32_t ipv4_size(const uint8_t *ip, uint32_t length) {
	uint32_t size;

	if (length < IPV4_HEADER || ip[IPV4_VERSION] >> 4 != 4) return 0;
	size = (ip[IPV4_VERSION] & 15u) * 4;
	if (size < IPV4_HEADER || size > length || ip[IPV4_PROTOCOL] != PROTOCOL_TCP ||
		big16(ip + IPV4_FRAGMENT) & IPV4_FRAGMENT_MASK)
		return 0;
	return size;
}

static uint32_t ipv6_size(const uint8_t *ip, uint32_t length) {
	uint32_t size = IPV6_HEADER;
	uint8_t next;

	if (length < IPV6_HEADER || ip[0] >> 4 != 6) return 0;
	next = ip[IPV6_NEXT];
	while (next == IPV6_HOP_BY_HOP || next == IPV6_ROUTING || next == IPV6_DESTINATION) {
		if (length - size < IPV6_UNIT) return 0;
		next = ip[size];
		size += (ip[size + 1] + 1u) * IPV6_UNIT;
		if (size > length) return 0;
	}
	return next == PROTOCOL_TCP ? size : 0;
}

static bool check_segments(struct offload *offload, const uint8_t *frame, uint8_t kind) {
	const struct net_header *header = &offload->header;
	uint32_t tcp = header->checksum_start;
	uint32_t size, payload;

	offload->is_v6 = kind == NET_SEGMENTS_TCP6;
	offload->ip = find_ip(frame, offload->length, offload->is_v6 ? KIND_IPV6 : KIND_IPV4);
	if (offload->ip == 0) return false;
	size = (offload->is_v6 ? ipv6_size : ipv4_size)(
		frame + offload->ip, offload->length - offload->ip);
	if (size == 0 || tcp != offload->ip + size || header->checksum_offset != TCP_CHECKSUM ||
		offload->length - tcp < TCP_HEADER)
		return false;
	size = (frame[tcp + TCP_OFFSET] >> 4) * 4u;
	offload->headers = tcp + size;
	if (size < TCP_HEADER || offload->headers >= offload->length) return false;
	payload = offload->length - offload->headers;
	if (header->segment == 0 ||
		offload->headers + smaller(payload, header->segment) > NET_FRAME_MAX)
		return false;
	offload->segments = (payload + header->segment - 1) / header->segment;
	return true;
}

bool offload_check(struct offload *offload, const struct net_header *header, const uint8_t *frame,
	uint32_t length) {
	uint8_t kind = header->kind & (uint8_t)~NET_SEGMENTS_ECN;
	bool is_partial = header->flags & NET_NEEDS_CHECKSUM;

	*offload = (struct offload){.length = length};
	if (!is_partial && header->kind == NET_SEGMENTS_NONE) return length <= NET_FRAME_MAX;
	// Addresses are what the switch has checked.
	if (!is_partial || header->checksum_start < ETHERNET_HEADER ||
		(uint32_t)header->checksum_start + header->checksum_offset + 2 > length)
		return false;
	offload->header = (struct net_header){
		.flags = NET_NEEDS_CHECKSUM,
		.checksum_start = header->checksum_start,
		.checksum_offset = header->checksum_offset,
	};
	offload->needs = NET_CHECKSUM;
	if (header->kind == NET_SEGMENTS_NONE) return length <= NET_FRAME_MAX;
	offload->header.segment = header->segment;
	if ((kind != NET_SEGMENTS_TCP4 && kind != NET_SEGMENTS_TCP6) ||
		!check_segments(offload, frame, kind))
		return false;
	offload->header.headers = (uint16_t)offload->headers;
	offload->header.kind = kind;
	if (frame[header->checksum_start + TCP_FLAGS] & TCP_CWR)
		offload->header.kind |= NET_SEGMENTS_ECN;
	offload->needs = net_needs(&offload->header);
	return true;
}

void offload_checksum(const struct offload *offload, uint8_t *frame) {
	uint32_t start = offload->header.checksum_start;

	complete(frame, start, start + offload->header.checksum_offset, offload->length);
}

static void finish_ip(
	const struct offload *offload, uint8_t *ip, uint32_t length, uint32_t number) {
	uint32_t size = offload->header.checksum_start - offload->ip;

	if (offload->is_v6) {
		big16_set(ip + IPV6_LENGTH, (uint16_t)(length - IPV6_HEADER));
		return;
	}
	big16_set(ip + IPV4_LENGTH, (uint16_t)length);
	big16_set(ip + IPV4_ID, (uint16_t)(big16(ip + IPV4_ID) + number));
	big16_set(ip + IPV4_CHECKSUM, 0);
	big16_set(ip + IPV4_CHECKSUM, checksum_end(checksum_add(0, ip, size)));
}

// Where the checksum will be stands the sum of the pseudo header, with the length of all of TCP:
// that becomes the segment's (RFC 1624). FIN and PSH are the last segment's, CWR is the first's.
static void finish_tcp(
	const struct offload *offload, uint8_t *segment, uint32_t length, uint32_t number) {
	uint32_t start = offload->header.checksum_start;
	uint8_t *tcp = segment + start;
	uint16_t whole = (uint16_t)(offload->length - start);
	uint32_t sum = big16(tcp + TCP_CHECKSUM) + (uint16_t)~whole + (length - start);

	big32_set(tcp + TCP_SEQUENCE, big32(tcp + TCP_SEQUENCE) + number * offload->header.segment);
	if (number + 1 < offload->segments) tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PUSH);
	if (number > 0) tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	big16_set(tcp + TCP_CHECKSUM, (uint16_t)~checksum_end(sum));
	complete(segment, start, start + TCP_CHECKSUM, length);
}

uint32_t offload_segment(
	const struct offload *offload, const uint8_t *frame, uint32_t number, uint8_t *segment) {
	uint32_t place = offload->headers + number * offload->header.segment;
	uint32_t count = smaller(offload->length - place, offload->header.segment);
	uint32_t length = offload->headers + count;

	memcpy(segment, frame, offload->headers);
	memcpy(segment + offload->headers, frame + place, count);
	finish_ip(offload, segment + offload->ip, length - offload->ip, number);
	finish_tcp(offload, segment, length, number);
	return length;
}
