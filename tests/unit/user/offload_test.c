// SPDX-License-Identifier: BSD-2-Clause
// The work on frames that their senders left: checksums and TCP segments are those that a complete
// packet has, and what is malformed is refused.
#include "test.h"

#include <lib/net/offload.h>
#include <nacre/net/ipv4.h>
#include <nacre/net/large.h>

#include <string.h>

enum {
	TCP = 6,
	FIN_PUSH_CWR = 0x89,
	PORTS = 0x1389d431,
	SEQUENCE = 0xfffff000, // wraps
};

// A packet to be made.
struct shape {
	bool is_v6;
	unsigned tags; // of VLANs
	unsigned options; // bytes of IPv4, or of an IPv6 destination header
	unsigned tcp_options;
	unsigned payload, segment;
};

static uint8_t frame[NET_LARGE_MAX];
static uint8_t segment[NET_FRAME_MAX];
static uint32_t length, ip, tcp;
static struct net_header header;

// Of a TCP packet from the IP header on.
static uint32_t pseudo_sum(const uint8_t *bytes, bool is_v6, uint32_t size) {
	const uint8_t *addresses = bytes + (is_v6 ? 8 : IPV4_SOURCE);

	return checksum_add(0, addresses, is_v6 ? 32 : 8) + TCP + size;
}

static uint32_t make_ip(const struct shape *shape, uint8_t *bytes) {
	uint32_t size = (shape->is_v6 ? 40 : IPV4_HEADER) + shape->options;

	memset(bytes, 0, size);
	if (shape->is_v6) {
		bytes[0] = 0x60;
		bytes[6] = shape->options > 0 ? 60 : TCP;
		memcpy(bytes + 8, "0123456789abcdefFEDCBA9876543210", 32);
		bytes[40] = TCP;
		bytes[41] = (uint8_t)(shape->options / 8 - 1);
		return size;
	}
	bytes[0] = (uint8_t)(0x40 | size / 4);
	big16_set(bytes + 4, 0xfffe); // the number of the packet
	big16_set(bytes + IPV4_FRAGMENT, 0x4000); // is not to be cut by routers
	bytes[IPV4_LIFETIME] = 64;
	bytes[IPV4_PROTOCOL] = TCP;
	big32_set(bytes + IPV4_SOURCE, 0x0a000001);
	big32_set(bytes + IPV4_TARGET, 0xc0a8ff02);
	memset(bytes + IPV4_HEADER, 1, shape->options);
	return size;
}

static void make(const struct shape *shape) {
	uint32_t headers = 20 + shape->tcp_options;

	memset(frame, 0x5a, ETHERNET_HEADER);
	ip = ETHERNET_HEADER;
	for (unsigned i = 0; i < shape->tags; i++, ip += 4) {
		big16_set(frame + ip - 2, i + 1 < shape->tags ? 0x88a8 : 0x8100);
		big16_set(frame + ip, 7);
	}
	big16_set(frame + ip - 2, shape->is_v6 ? 0x86dd : KIND_IPV4);
	tcp = ip + make_ip(shape, frame + ip);
	memset(frame + tcp, 1, headers);
	big32_set(frame + tcp, PORTS);
	big32_set(frame + tcp + 4, SEQUENCE);
	frame[tcp + 12] = (uint8_t)(headers / 4 << 4);
	frame[tcp + 13] = FIN_PUSH_CWR;
	for (unsigned i = 0; i < shape->payload; i++)
		frame[tcp + headers + i] = (uint8_t)(i * 7 + i / 251);
	length = tcp + headers + shape->payload;
	big16_set(frame + tcp + 16,
		(uint16_t)~checksum_end(pseudo_sum(frame + ip, shape->is_v6, length - tcp)));
	header = (struct net_header){
		.flags = NET_NEEDS_CHECKSUM,
		.kind = shape->segment == 0 ? NET_SEGMENTS_NONE
			: shape->is_v6      ? NET_SEGMENTS_TCP6
					    : NET_SEGMENTS_TCP4,
		.headers = 1, // a hint, and wrong
		.segment = (uint16_t)shape->segment,
		.checksum_start = (uint16_t)tcp,
		.checksum_offset = 16,
	};
}

static bool sum_is_right(const uint8_t *bytes, bool is_v6, uint32_t size) {
	uint32_t sum = pseudo_sum(bytes + ip, is_v6, size - tcp);

	return checksum_end(checksum_add(sum, bytes + tcp, size - tcp)) == 0;
}

static void check_ip(const struct shape *shape, uint32_t number, uint32_t size) {
	const uint8_t *bytes = segment + ip;

	if (shape->is_v6) {
		check_equal(big16(bytes + 4), size - ip - 40);
		return;
	}
	check_equal(big16(bytes + IPV4_LENGTH), size - ip);
	check_equal(big16(bytes + 4), (uint16_t)(0xfffe + number));
	check_equal(checksum_end(checksum_add(0, bytes, tcp - ip)), 0);
}

static void check_segment(const struct shape *shape, const struct offload *offload, uint32_t i) {
	uint32_t headers = tcp + 20 + shape->tcp_options;
	uint32_t place = i * shape->segment;
	uint32_t left = shape->payload - place;
	uint32_t size = offload_segment(offload, frame, i, segment);
	uint8_t flags = FIN_PUSH_CWR;

	check_equal(size, headers + (left < shape->segment ? left : shape->segment));
	check_ip(shape, i, size);
	check(sum_is_right(segment, shape->is_v6, size));
	check(memcmp(segment, frame, ip) == 0);
	check_equal(big32(segment + tcp), PORTS);
	check_equal(big32(segment + tcp + 4), SEQUENCE + place);
	if (i > 0) flags &= 0x7f;
	if (i + 1 < offload->segments) flags &= 0xf6;
	check_equal(segment[tcp + 13], flags);
	check(memcmp(segment + headers, frame + headers + place, size - headers) == 0);
}

static void segments(void) {
	static const struct shape shapes[] = {
		{false, 0, 0, 0, 1460, 1460},
		{false, 0, 0, 0, 1, 1460},
		{false, 0, 0, 12, 65160, 1448},
		{false, 0, 0, 12, 1449, 1448},
		{false, 0, 40, 40, 5001, 999},
		{false, 2, 0, 0, 4000, 1333},
		{false, 0, 0, 0, 9, 1},
		{true, 0, 0, 0, 60000, 1440},
		{true, 1, 16, 12, 3001, 1001},
	};

	for (unsigned i = 0; i < array_count(shapes); i++) {
		const struct shape *shape = &shapes[i];
		struct offload offload;

		make(shape);
		check(offload_check(&offload, &header, frame, length));
		check_equal(offload.needs,
			NET_CHECKSUM | NET_ECN | (shape->is_v6 ? NET_TCP6 : NET_TCP4));
		check_equal(
			offload.segments, (shape->payload + shape->segment - 1) / shape->segment);
		check_equal(offload.header.headers, tcp + 20 + shape->tcp_options);
		for (uint32_t j = 0; j < offload.segments; j++)
			check_segment(shape, &offload, j);
	}
}

static void checksums(void) {
	static const struct shape shapes[] = {{false, 0, 0, 0, 1, 0}, {true, 0, 8, 12, 1400, 0}};
	struct offload offload;

	for (unsigned i = 0; i < array_count(shapes); i++) {
		make(&shapes[i]);
		check(offload_check(&offload, &header, frame, length));
		check(offload.needs == NET_CHECKSUM && offload.segments == 0);
		check(!sum_is_right(frame, shapes[i].is_v6, length));
		offload_checksum(&offload, frame);
		check(sum_is_right(frame, shapes[i].is_v6, length));
	}
	// A checksum of UDP that comes out as 0; anything else than TCP may have one, anywhere.
	memset(frame, 0, 60);
	big16_set(frame + 40, 0xffff);
	header = (struct net_header){
		.flags = NET_NEEDS_CHECKSUM, .checksum_start = 34, .checksum_offset = 6};
	check(offload_check(&offload, &header, frame, 60));
	offload_checksum(&offload, frame);
	check_equal(big16(frame + 40), 0xffff);
}

static void complete(void) {
	const struct net_header empty = {.headers = 66, .checksum_start = 34};
	struct offload offload;

	make(&(struct shape){.payload = 1000});
	check(offload_check(&offload, &empty, frame, length) && offload.needs == 0);
	check_equal(offload.header.headers, 0);
	check(offload_check(&offload, &empty, frame, NET_FRAME_MAX) && offload.needs == 0);
	check(!offload_check(&offload, &empty, frame, NET_FRAME_MAX + 1));
}

// With other bytes at an offset from the IP header, or a shorter frame, the work cannot be done.
static void malformed(void) {
	static const struct {
		bool is_v6;
		unsigned place;
		uint8_t value;
	} bytes[] = {
		{false, 0, 0x44},
		{false, 0, 0x46},
		{false, 0, 0x65},
		{false, 9, 17},
		{false, 6, 0x20},
		{false, 7, 1},
		{false, 32, 0x40},
		{false, 32, 0xf0},
		{true, 0, 0x45},
		{true, 6, 17},
		{true, 6, 44},
		{true, 40, 17},
		{true, 41, 0},
		{true, 41, 255},
	};
	struct offload offload;

	for (unsigned i = 0; i < array_count(bytes); i++) {
		make(&(struct shape){.is_v6 = bytes[i].is_v6,
			.options = bytes[i].is_v6 ? 16 : 0,
			.payload = 12,
			.segment = 1000});
		check(offload_check(&offload, &header, frame, length));
		frame[ip + bytes[i].place] = bytes[i].value;
		check(!offload_check(&offload, &header, frame, length));
	}
	make(&(struct shape){.tags = 3, .payload = 12, .segment = 1000});
	check(!offload_check(&offload, &header, frame, length));
	for (unsigned is_v6 = 0; is_v6 < 2; is_v6++) {
		make(&(struct shape){.is_v6 = is_v6, .options = 8, .payload = 1, .segment = 9});
		for (uint32_t i = NET_FRAME_MIN; i < length; i++)
			check(!offload_check(&offload, &header, frame, i));
	}
}

static void offsets(void) {
	static const struct net_header wrong[] = {
		{.flags = 0,
			.kind = 1,
			.segment = 1000,
			.checksum_start = 34,
			.checksum_offset = 16},
		{.flags = 1, .kind = 1, .segment = 0, .checksum_start = 34, .checksum_offset = 16},
		{.flags = 1,
			.kind = 1,
			.segment = 1000,
			.checksum_start = 33,
			.checksum_offset = 16},
		{.flags = 1,
			.kind = 1,
			.segment = 1000,
			.checksum_start = 34,
			.checksum_offset = 6},
		{.flags = 1,
			.kind = 4,
			.segment = 1000,
			.checksum_start = 34,
			.checksum_offset = 16},
		{.flags = 1,
			.kind = 3,
			.segment = 1000,
			.checksum_start = 34,
			.checksum_offset = 16},
		{.flags = 1, .kind = 0x80, .checksum_start = 34, .checksum_offset = 16},
		{.flags = 1, .checksum_start = 13, .checksum_offset = 16},
		{.flags = 1, .checksum_start = 0, .checksum_offset = 6},
		{.flags = 1, .checksum_start = 34, .checksum_offset = 65535},
		{.flags = 1, .checksum_start = 65535, .checksum_offset = 65535},
		{.flags = 1, .checksum_start = 34, .checksum_offset = 1479}, // half behind the end
	};
	struct offload offload;

	make(&(struct shape){.payload = 1460, .segment = 1460});
	for (unsigned i = 0; i < array_count(wrong); i++)
		check(!offload_check(&offload, &wrong[i], frame, NET_FRAME_MAX));
	header.checksum_offset = 1478;
	header.kind = NET_SEGMENTS_NONE;
	check(offload_check(&offload, &header, frame, NET_FRAME_MAX));
	check(!offload_check(&offload, &header, frame, NET_FRAME_MAX - 1));
	check(!offload_check(&offload, &header, frame, NET_FRAME_MAX + 1));
	// No link carries such segments, unless it is a single, smaller one.
	make(&(struct shape){.payload = 1461, .segment = 1461});
	check(!offload_check(&offload, &header, frame, length));
	make(&(struct shape){.payload = 1460, .segment = 1461});
	check(offload_check(&offload, &header, frame, length));
}

// A receiver of segments without CWR gets that frame cut, whatever its sender said of CWR.
static void congestion(void) {
	struct offload offload;

	make(&(struct shape){.payload = 100, .segment = 50});
	check(offload_check(&offload, &header, frame, length) && offload.needs & NET_ECN);
	frame[tcp + 13] = 0x10;
	header.kind |= NET_SEGMENTS_ECN;
	check(offload_check(&offload, &header, frame, length) && !(offload.needs & NET_ECN));
}

static const struct test rows[] = {
	{"user/offload/segments", "segments are complete packets", segments},
	{"user/offload/checksums", "a checksum is completed", checksums},
	{"user/offload/complete", "a frame with nothing left stays as it is", complete},
	{"user/offload/malformed", "packets with wrong headers are not cut", malformed},
	{"user/offload/offsets", "offsets out of a frame are refused", offsets},
	{"user/offload/congestion", "the packet says whether it has CWR", congestion},
};

const struct tests offload_tests = {rows, array_count(rows)};
