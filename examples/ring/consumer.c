// SPDX-License-Identifier: BSD-2-Clause
// Takes numbers and checks that each is the expected one.
#include <microkit.h>

#include <nacre/ring.h>

enum {
	PRODUCER = 0,
	NUMBERS = 100000,
};

// Patched by the composer.
uint64_t ring_vaddr;
uint64_t ring_size;

// Written by init and consume only.
static struct ring_end ring;
static uint64_t received;
static uint64_t wrong;

// Take what there is, until the check after the announcement finds nothing.
static void consume(void) {
	uint64_t number;

	do {
		while (ring_get(&ring, &number))
			wrong += number != received++;
		if (ring_must_notify_producer(&ring)) microkit_notify(PRODUCER);
	} while (!ring_may_sleep(&ring));
}

void init(void) {
	if (!ring_attach_consumer(&ring, (void *)ring_vaddr, ring_size, sizeof(uint64_t)))
		microkit_dbg_puts("consumer: the region is no ring\n");
	microkit_dbg_puts("consumer: ready\n");
}

void notified(microkit_channel channel) {
	(void)channel;
	consume();
	if (received == NUMBERS)
		microkit_dbg_puts(
			wrong ? "consumer: numbers are wrong\n" : "consumer: all arrived\n");
}
