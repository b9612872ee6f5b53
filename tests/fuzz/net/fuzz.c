// SPDX-License-Identifier: BSD-2-Clause
// Feeds the work on frames with whatever a guest may say of them, by the entry of libFuzzer, which
// AFL++ understands, too. Without them main.c makes the inputs: a header, and a frame.
#include "../partition/fuzz.h"

#include <lib/net/offload.h>
#include <nacre/net/ipv4.h>

#include <stdlib.h>
#include <string.h>

static void must(bool holds) {
	if (!holds) abort();
}

// Whether the bytes from the transport's header on fit the sum that stood there before.
static void check_sum(const struct offload *offload, const uint8_t *before, const uint8_t *after,
	uint32_t length) {
	uint32_t start = offload->header.checksum_start;
	uint32_t place = start + offload->header.checksum_offset;
	uint32_t sum = checksum_add(0, after + start, length - start) + big16(before + place);
	bool is_odd = offload->header.checksum_offset % 2;

	// Other parts than words are for those who ask for them.
	if (is_odd) return;
	if (offload->segments > 0) sum += (uint16_t) ~(offload->length - start) + (length - start);
	must(checksum_end(sum) == 0 || checksum_end(sum) == 0xffff);
}

static void check_segments(const struct offload *offload, const uint8_t *frame) {
	uint8_t *segment = malloc(NET_FRAME_MAX);
	uint32_t place = offload->headers;

	for (uint32_t i = 0; i < offload->segments; i++) {
		uint32_t length = offload_segment(offload, frame, i, segment);
		uint32_t count = length - offload->headers;

		must(length > offload->headers && length <= NET_FRAME_MAX);
		must(count <= offload->length - place);
		must(memcmp(segment, frame, offload->ip) == 0);
		must(memcmp(segment + offload->headers, frame + place, count) == 0);
		check_sum(offload, frame, segment, length);
		place += count;
	}
	must(place == offload->length);
	free(segment);
}

static void check_frame(const struct net_header *header, uint8_t *frame, uint32_t length) {
	struct offload offload;
	uint8_t *done;

	if (!offload_check(&offload, header, frame, length)) return;
	must(offload.needs == 0 || offload.needs & NET_CHECKSUM);
	must(!(offload.needs & NET_UNKNOWN) && offload.length == length);
	if (offload.segments > 0) {
		check_segments(&offload, frame);
		return;
	}
	must(length <= NET_FRAME_MAX);
	if (offload.needs == 0) return;
	done = malloc(length);
	memcpy(done, frame, length);
	offload_checksum(&offload, done);
	must(memcmp(done, frame, ETHERNET_HEADER) == 0);
	check_sum(&offload, frame, done, length);
	free(done);
}

// The frame is memory of exactly its length.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
	struct net_header header;
	uint8_t *frame;

	if (size < sizeof(header) + NET_FRAME_MIN || size > sizeof(header) + NET_LARGE_MAX)
		return 0;
	memcpy(&header, bytes, sizeof(header));
	size -= sizeof(header);
	frame = malloc(size);
	memcpy(frame, bytes + sizeof(header), size);
	check_frame(&header, frame, (uint32_t)size);
	free(frame);
	return 0;
}
