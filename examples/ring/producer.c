// SPDX-License-Identifier: BSD-2-Clause
// Writes a hundred thousand numbered bytes as fast as the consumer takes them.
#include <microkit.h>

#include <components/ring.h>

enum {
	CONSUMER = 0,
	BYTES = 100000,
};

// Patched by the composer.
struct byte_ring *ring;

// Written by produce only.
static unsigned sent;

// Until the ring is full or everything is sent; then the consumer has something to do.
static void produce(void) {
	if (sent == BYTES) return;
	while (sent < BYTES && ring_put(ring, (uint8_t)(sent % 251)))
		sent++;
	microkit_notify(CONSUMER);
}

void init(void) { produce(); }

void notified(microkit_channel channel) {
	(void)channel;
	produce();
}
