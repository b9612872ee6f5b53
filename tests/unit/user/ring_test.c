// SPDX-License-Identifier: BSD-2-Clause
// The byte ring: order, limits, wrapping counters and a hostile partner.
#include "test.h"

#include <components/ring.h>

// Too large for the stack of a test under sanitizers to be pleasant.
static struct byte_ring ring;

static void reset(uint32_t counter) { ring = (struct byte_ring){.head = counter, .tail = counter}; }

static void keeps_order(void) {
	uint8_t byte;

	// Start near the end, so that both counters wrap on the way.
	reset(UINT32_MAX - 5);
	for (unsigned i = 0; i < 1000; i++) {
		check(ring_put(&ring, (uint8_t)i) && ring_put(&ring, (uint8_t)(i + 1)));
		check(ring_get(&ring, &byte) && byte == (uint8_t)i);
		check(ring_get(&ring, &byte) && byte == (uint8_t)(i + 1));
	}
	check(!ring_get(&ring, &byte));
}

static void full_and_empty(void) {
	uint8_t byte;
	unsigned count = 0;

	reset(UINT32_MAX - 100);
	while (ring_put(&ring, (uint8_t)count))
		count++;
	check(count == RING_CAPACITY && ring_free(&ring) == 0);
	check(ring_get(&ring, &byte) && byte == 0 && ring_free(&ring) == 1);
	check(ring_put(&ring, 'a') && !ring_put(&ring, 'b'));
	check(ring_used(&ring) == RING_CAPACITY);
}

static void hostile_partner(void) {
	uint8_t byte;

	// Counters no honest partner would have: nothing outside the data is touched.
	reset(0);
	ring.head = 0x80000000;
	check(ring_used(&ring) == RING_CAPACITY && ring_free(&ring) == 0);
	check(!ring_put(&ring, 1));
	for (int i = 0; i < 2 * RING_CAPACITY; i++)
		check(ring_get(&ring, &byte));
	reset(0);
	ring.tail = 77;
	check(!ring_put(&ring, 1));
}

static const struct test rows[] = {
	{"user/ring/order", "bytes come out in order over the wrap of the counters", keeps_order},
	{"user/ring/limits", "a full ring takes nothing, an empty one gives nothing",
		full_and_empty},
	{"user/ring/hostile", "impossible counters lead nowhere outside the ring", hostile_partner},
};

const struct tests ring_tests = {rows, array_count(rows)};
