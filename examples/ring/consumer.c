// SPDX-License-Identifier: BSD-2-Clause
// Takes bytes and checks that each is the one that had to come.
#include <microkit.h>

#include <components/ring.h>

enum {
	PRODUCER = 0,
	BYTES = 100000,
};

// Patched by the composer.
struct byte_ring *ring;

// Written by notified only.
static unsigned received;
static unsigned wrong;

void init(void) { microkit_dbg_puts("consumer: ready\n"); }

void notified(microkit_channel channel) {
	uint8_t byte;

	(void)channel;
	while (ring_get(ring, &byte)) {
		if (byte != received % 251) wrong++;
		received++;
	}
	if (received == BYTES)
		microkit_dbg_puts(
			wrong ? "consumer: bytes are wrong\n" : "consumer: all arrived\n");
	else
		microkit_notify(PRODUCER);
}
