// SPDX-License-Identifier: BSD-2-Clause
// The ring: order, limits, wrapping counters, sleeping sides, restarts and a hostile partner.
#include "test.h"

#include <nacre/ring.h>

#include <stdlib.h>
#include <string.h>

struct item {
	uint64_t number;
	uint32_t check;
};

enum {
	CAPACITY = 16,
	BYTES = RING_HEADER + CAPACITY * sizeof(struct item),
};

// On the heap and of the exact size, so that the sanitizer sees a step outside.
static struct ring *ring;
static struct ring_end producer;
static struct ring_end consumer;

static void start(uint32_t counter) {
	free(ring);
	ring = aligned_alloc(RING_LINE, BYTES);
	memset(ring, 0, BYTES);
	ring->head = counter;
	ring->tail = counter;
	check(ring_attach_producer(&producer, ring, BYTES, sizeof(struct item)));
	check(ring_attach_consumer(&consumer, ring, BYTES, sizeof(struct item)));
}

static bool put(uint64_t number) {
	return ring_put(&producer, (&(struct item){number, (uint32_t)~number}));
}

static bool get(uint64_t number) {
	struct item item = {0};

	return ring_get(&consumer, &item) && item.number == number &&
		item.check == (uint32_t)~number;
}

static bool is_empty(void) {
	struct item item;

	return !ring_get(&consumer, &item);
}

static void keeps_order(void) {
	// Near the end, so that both counters wrap on the way.
	start(UINT32_MAX - 5);
	for (unsigned i = 0; i < 1000; i++) {
		check(put(i) && put(i + 1));
		check(get(i) && get(i + 1));
	}
	check(is_empty());
}

static void full_and_empty(void) {
	for (uint32_t counter = UINT32_MAX - 2 * CAPACITY; counter != 3; counter++) {
		start(counter);
		check(ring_room(&producer) == CAPACITY && ring_count(&consumer) == 0);
		for (unsigned i = 0; i < CAPACITY; i++)
			check(put(i));
		check(!put(99) && ring_room(&producer) == 0 && ring_count(&consumer) == CAPACITY);
		check(get(0) && ring_room(&producer) == 1);
		check(put(CAPACITY) && !put(99));
		for (unsigned i = 1; i <= CAPACITY; i++)
			check(get(i));
		check(is_empty());
	}
}

static void sizes(void) {
	static _Alignas(RING_LINE) uint8_t memory[4096];
	struct ring_end end;

	check(!ring_attach_producer(&end, NULL, sizeof(memory), 1));
	check(!ring_attach_producer(&end, memory + 8, 1024, 1));
	check(!ring_attach_producer(&end, memory, sizeof(memory), 0));
	check(!ring_attach_consumer(&end, memory, RING_HEADER - 1, 1));
	check(!ring_attach_consumer(&end, memory, RING_HEADER + 7, 8));
	check(ring_attach_consumer(&end, memory, RING_HEADER + 8, 8) && end.mask == 0);
	check(ring_attach_consumer(&end, memory, sizeof(memory), 16) && end.mask == 127);
	check(ring_attach_producer(&end, memory, sizeof(memory), 4096 - RING_HEADER));
	check(end.mask == 0);
	// A call that was written for other items is refused rather than led astray.
	check(!ring_put(&end, &(uint64_t){1}));
}

static void consumer_sleeps(void) {
	start(0);
	check(put(1) && ring_must_notify(&producer)); // a consumer starts asleep
	check(put(2) && !ring_must_notify(&producer)); // and is notified once
	check(!ring_may_sleep(&consumer) && get(1) && get(2));
	check(put(3) && !ring_must_notify(&producer)); // awake: no notification
	check(get(3) && ring_may_sleep(&consumer));
	check(put(4) && ring_must_notify(&producer) && !ring_must_notify(&producer));
}

static void producer_waits(void) {
	start(7);
	check(!ring_must_notify_producer(&consumer) && !ring_may_wait(&producer));
	for (unsigned i = 0; i < CAPACITY; i++)
		check(put(i));
	check(ring_may_wait(&producer));
	check(get(0) && ring_must_notify_producer(&consumer));
	check(get(1) && !ring_must_notify_producer(&consumer));
	check(put(CAPACITY));
}

// Either side is rebuilt and continues where its predecessor stopped.
static void restart(void) {
	start(UINT32_MAX - 1);
	for (unsigned i = 0; i < 5; i++)
		check(put(i));
	check(ring_must_notify(&producer) && get(0) && get(1));
	check(ring_attach_producer(&producer, ring, BYTES, sizeof(struct item)));
	check(ring_room(&producer) == CAPACITY - 3 && put(5));
	check(ring_attach_consumer(&consumer, ring, BYTES, sizeof(struct item)));
	check(get(2) && get(3) && get(4) && get(5) && is_empty());
	// An item that was only looked at is still there.
	struct item item;

	check(put(7) && ring_peek(&consumer, &item) && item.number == 7);
	check(ring_attach_consumer(&consumer, ring, BYTES, sizeof(struct item)));
	check(ring_peek(&consumer, &item) && item.number == 7);
	ring_skip(&consumer);
	check(is_empty());
	// Notifications to the previous consumer are lost.
	check(put(6) && ring_must_notify(&producer));
}

// Counters that no honest partner would have: the ring is empty, or full, and nothing outside is
// touched whatever they are.
static void hostile_partner(void) {
	uint32_t random = 1;
	struct item item;

	start(0);
	ring->head = CAPACITY + 1;
	check(is_empty() && ring_count(&consumer) == 0 && ring_may_sleep(&consumer));
	ring->tail = 77;
	check(ring_room(&producer) == 0 && !put(1) && ring_may_wait(&producer));
	for (unsigned i = 0; i < 100000; i++) {
		random = random * 1664525 + 1013904223;
		ring->head = consumer.own + random % 64;
		ring->consumer_awake = random;
		random = random * 1664525 + 1013904223;
		ring->tail = producer.own - random % 64;
		ring->producer_waits = random;
		if (ring_count(&consumer) > CAPACITY || ring_room(&producer) > CAPACITY)
			check(false);
		(void)ring_get(&consumer, &item);
		(void)put(i);
		(void)ring_must_notify(&producer), (void)ring_may_sleep(&consumer);
		(void)ring_must_notify_producer(&consumer), (void)ring_may_wait(&producer);
	}
}

static void own_counter_is_private(void) {
	start(0);
	check(put(1));
	ring->head = 9;
	check(put(2) && ring->head == 2);
	check(get(1));
	ring->tail = 1000;
	check(get(2) && ring->tail == 2);
}

static const struct test rows[] = {
	{"user/ring/order", "items come out in order over the wrap of the counters", keeps_order},
	{"user/ring/limits", "a full ring takes nothing, an empty one gives nothing",
		full_and_empty},
	{"user/ring/sizes", "capacity follows from the region; nonsense is refused", sizes},
	{"user/ring/sleep", "a consumer is notified once for each sleep", consumer_sleeps},
	{"user/ring/wait", "a producer that waits is notified once of room", producer_waits},
	{"user/ring/restart", "a rebuilt side continues where the last one stopped", restart},
	{"user/ring/hostile", "impossible counters lead nowhere outside the ring", hostile_partner},
	{"user/ring/own", "the peer cannot move the other side's counter", own_counter_is_private},
};

const struct tests ring_tests = {rows, array_count(rows)};
