// SPDX-License-Identifier: BSD-2-Clause
// Between the serial driver and the screen's component, which share one region and a notification
// channel: what is shown on the screen beside the serial line, and what is typed on the keyboard.
// docs/reference/protocols.md explains it.
#pragma once

#include <abi/compiler.h>
#include <nacre/ring.h>

enum {
	// Terminals of the screen: the first one shows what the serial line does, each other one a
	// console alone.
	SCREEN_PLACES = 9,
	SCREEN_OUT_ITEMS = 32768,
	SCREEN_IN_ITEMS = 1024,
	SCREEN_ANSWER = 0x80, // beside a place: not typed, a terminal's answer to what it was asked
};

struct screen_item {
	uint8_t place;
	uint8_t byte;
};

ABI_ASSERT(sizeof(struct screen_item) == 2);

// Zeroed memory is a link whose screen does not take anything yet.
struct screen_link {
	uint8_t out[RING_HEADER + SCREEN_OUT_ITEMS * sizeof(struct screen_item)]
		__attribute__((aligned(RING_LINE))); // to the screen
	uint8_t in[RING_HEADER + SCREEN_IN_ITEMS * sizeof(struct screen_item)]
		__attribute__((aligned(RING_LINE))); // to the serial driver
};

ABI_ASSERT(sizeof(struct screen_link) <= 0x11000);

struct screen_end {
	struct ring_end out; // what this side sends
	struct ring_end in;
};

ABI_MUST_USE static inline bool screen_attach(
	struct screen_end *end, uint8_t *out, size_t out_bytes, uint8_t *in, size_t in_bytes) {
	return ring_attach_producer(&end->out, out, out_bytes, sizeof(struct screen_item)) &&
		ring_attach_consumer(&end->in, in, in_bytes, sizeof(struct screen_item));
}

// The serial driver: once; false without a region.
ABI_MUST_USE static inline bool screen_open(struct screen_end *end, struct screen_link *link) {
	return link && screen_attach(end, link->out, sizeof(link->out), link->in, sizeof(link->in));
}

// The screen's component: the same.
ABI_MUST_USE static inline bool screen_serve(struct screen_end *end, struct screen_link *link) {
	return link && screen_attach(end, link->in, sizeof(link->in), link->out, sizeof(link->out));
}
