// SPDX-License-Identifier: BSD-2-Clause
// Writes a hundred thousand numbers in batches, and waits when the ring is full.
#include <microkit.h>

#include <nacre/ring.h>

enum {
	CONSUMER = 0,
	NUMBERS = 100000,
	BATCH = 32,
};

// Patched by the composer.
uint64_t ring_vaddr;
uint64_t ring_size;

// Written by produce only.
static struct ring_end ring;
static uint64_t sent;

static bool put_batch(void) {
	for (int i = 0; i < BATCH && sent < NUMBERS; i++) {
		if (!ring_put(&ring, &sent)) return false;
		sent++;
	}
	return true;
}

// Until everything is sent, or the ring is full and the consumer will notify of room.
static void produce(void) {
	bool has_room = true;

	while (sent < NUMBERS && has_room) {
		has_room = put_batch();
		if (ring_must_notify(&ring)) microkit_notify(CONSUMER);
		if (!has_room) has_room = !ring_may_wait(&ring);
	}
}

void init(void) {
	if (ring_attach_producer(&ring, (void *)ring_vaddr, ring_size, sizeof(sent))) produce();
}

void notified(microkit_channel channel) {
	(void)channel;
	produce();
}
