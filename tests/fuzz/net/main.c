// SPDX-License-Identifier: BSD-2-Clause
// Random inputs for the fuzzer, where there is no libFuzzer: fuzz-net [COUNT [SEED]]
#include "../partition/fuzz.h"

#include <nacre/net/ipv4.h>
#include <nacre/protocol/net.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 20000, USUAL = 5000, CHANGES = 4, HEADER = sizeof(struct net_header) };

static uint64_t state;

static uint32_t chance(uint32_t limit) {
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(state >> 33) % limit;
}

static uint32_t add_ipv4(uint8_t *ip) {
	uint32_t words = 5 + (chance(4) ? 0 : chance(11));

	ip[0] = (uint8_t)(0x40 | words);
	big16_set(ip + IPV4_FRAGMENT, chance(8) ? 0x4000 : (uint16_t)chance(1 << 16));
	ip[IPV4_PROTOCOL] = 6;
	return words * 4;
}

static uint32_t add_ipv6(uint8_t *ip) {
	static const uint8_t kinds[] = {0, 43, 60, 44};
	uint32_t size = 40;
	uint8_t *next = ip + 6;

	ip[0] = 0x60;
	for (; chance(3) == 0; next = ip + size, size += (ip[size + 1] + 1u) * 8) {
		*next = kinds[chance(chance(8) ? 3 : 4)];
		ip[size + 1] = (uint8_t)chance(3);
	}
	*next = 6;
	return size;
}

// The headers of a packet that is to be cut, most of them right; returns their size.
static uint32_t make_headers(struct net_header *header, uint8_t *frame) {
	uint32_t place = ETHERNET_HEADER;
	bool is_v6 = chance(2);

	for (; chance(4) == 0 && place < 30; place += 4)
		big16_set(frame + place - 2, chance(2) ? 0x8100 : 0x88a8);
	big16_set(frame + place - 2, is_v6 ? 0x86dd : KIND_IPV4);
	place += is_v6 ? add_ipv6(frame + place) : add_ipv4(frame + place);
	*header = (struct net_header){
		.flags = NET_NEEDS_CHECKSUM,
		.kind = chance(4) ? is_v6 ? NET_SEGMENTS_TCP6 : NET_SEGMENTS_TCP4 : 0,
		.segment = (uint16_t)(chance(2) ? 1448 : chance(1500)),
		.checksum_start = (uint16_t)place,
		.checksum_offset = 16,
	};
	frame[place + 12] = (uint8_t)(chance(16) << 4);
	return place + 20;
}

int main(int arguments, char **words) {
	static uint8_t bytes[HEADER + NET_LARGE_MAX];
	uint64_t count = arguments > 1 ? strtoull(words[1], NULL, 0) : COUNT;

	state = arguments > 2 ? strtoull(words[2], NULL, 0) : 1;
	for (uint64_t i = 0; i < count; i++) {
		struct net_header header;
		uint32_t size;

		for (size_t k = 0; k < 600; k++)
			bytes[k] = (uint8_t)chance(256);
		size = make_headers(&header, bytes + HEADER) +
			chance(chance(100) ? USUAL : NET_LARGE_MAX - 1000);
		memcpy(bytes, &header, HEADER);
		for (uint32_t k = chance(2) ? chance(CHANGES) : 0; k > 0; k--)
			bytes[chance(chance(2) ? HEADER : 100)] = (uint8_t)chance(256);
		size = HEADER + (chance(8) ? size : chance(size));
		(void)LLVMFuzzerTestOneInput(bytes, size);
	}
	printf("%lu inputs\n", count);
	return 0;
}
