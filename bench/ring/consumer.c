// SPDX-License-Identifier: BSD-2-Clause
// Takes items and checks them; notifies the producer of room, and of the last item of a figure.
#include "ring_bench.h"

#include <microkit.h>

enum {
	PRODUCER = 0,
};

// Patched by the composer.
uint64_t ring_vaddr __attribute__((section(".data")));
uint64_t ring_size __attribute__((section(".data")));

// Written by the functions of this file only.
static struct ring_end ring;
static uint64_t received;

static void take_all(void) {
	// A copy whose address is not taken elsewhere: the compiler keeps it in registers.
	struct ring_end end = ring;
	uint64_t number = received;
	struct item item;

	while (ring_get(&end, &item)) {
		// The producer then waits for ever, and the measurement is abandoned.
		if (item.number != number || item.check != ~number)
			microkit_internal_crash(seL4_RangeError);
		number++;
	}
	ring = end;
	received = number;
}

static void consume(void) {
	do {
		take_all();
		if (ring_must_notify_producer(&ring) || (received > 0 && received % ITEMS == 0))
			microkit_notify(PRODUCER);
	} while (!ring_may_sleep(&ring));
}

void init(void) {
	if (!ring_attach_consumer(&ring, (void *)ring_vaddr, ring_size, sizeof(struct item)))
		microkit_internal_crash(seL4_InvalidArgument);
}

void notified(microkit_channel) { consume(); }
