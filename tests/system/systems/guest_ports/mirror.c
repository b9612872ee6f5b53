// SPDX-License-Identifier: BSD-2-Clause
// Gives back what a guest writes to ports of its virtio console, small letters as capitals.
#include <microkit.h>

#include <nacre/protocol/console.h>

enum {
	PORTS = 2,
	FIRST_CHANNEL = 20,
};

// Patched by the composer: the rings shared with the guest's monitor.
seL4_Word port_vaddr, port1_vaddr;

static struct console_end ports[PORTS];

static void serve(unsigned port) {
	struct console_end *end = &ports[port];
	uint8_t byte;

	do {
		while (ring_get(&end->out, &byte)) {
			if (byte >= 'a' && byte <= 'z') byte -= 'a' - 'A';
			ring_put(&end->in, &byte);
		}
	} while (!ring_may_sleep(&end->out));
	if (ring_must_notify(&end->in)) microkit_notify(FIRST_CHANNEL + port);
}

void init(void) {
	const seL4_Word regions[PORTS] = {port_vaddr, port1_vaddr};

	for (unsigned i = 0; i < PORTS; i++)
		if (console_serve(&ports[i], (struct console *)regions[i])) serve(i);
}

void notified(microkit_channel channel) { serve(channel - FIRST_CHANNEL); }
