// SPDX-License-Identifier: BSD-2-Clause
// Between two Linux guests: passes each line that one writes to its second serial port to the
// other, but those with the word "secret", which it shows on its own console. The guests share no
// memory and no channel; only this component can reach both.
#include <microkit.h>

#include <nacre/print.h>
#include <nacre/protocol/console.h>

enum {
	FIRST_GUEST = 2, // channel; the other guest's is the next one
	GUESTS = 2,
	LINE_SIZE = 120,
};

// Patched by the composer: the rings shared with the monitor of each guest.
seL4_Word peer_vaddr;
seL4_Word peer1_vaddr;

// This end of a serial port is what the serial driver is for a console: the back end.
struct guest {
	struct console_end port;
	char line[LINE_SIZE];
	unsigned length;
};

// Written by the functions of this file only; a component is one thread.
static struct guest guests[GUESTS];

static void put(struct guest *guest, const char *text) {
	// A guest that never reads fills the ring; the rest is dropped, and this component never
	// waits for it.
	for (; *text; text++)
		ring_put(&guest->port.in, (const uint8_t *)text);
}

static bool contains(const char *line, const char *word) {
	for (; *line; line++) {
		unsigned i = 0;

		while (word[i] && line[i] == word[i])
			i++;
		if (!word[i]) return true;
	}
	return false;
}

static void take_line(struct guest *from, struct guest *to) {
	from->line[from->length] = '\0';
	from->length = 0;
	if (contains(from->line, "secret")) {
		print("kept from the other guest: %s\n", from->line);
		return;
	}
	put(to, from->line);
	put(to, "\n");
}

static void take_byte(struct guest *from, struct guest *to, uint8_t byte) {
	if (byte == '\n')
		take_line(from, to);
	else if (byte >= ' ' && from->length < LINE_SIZE - 1)
		from->line[from->length++] = (char)byte;
}

static void serve(unsigned number) {
	struct guest *from = &guests[number], *to = &guests[1 - number];
	uint8_t byte;

	do {
		while (ring_get(&from->port.out, &byte))
			take_byte(from, to, byte);
	} while (!ring_may_sleep(&from->port.out));
	for (unsigned i = 0; i < GUESTS; i++) {
		if (ring_must_notify(&guests[i].port.in)) microkit_notify(FIRST_GUEST + i);
	}
}

void init(void) {
	const seL4_Word regions[GUESTS] = {peer_vaddr, peer1_vaddr};

	for (unsigned i = 0; i < GUESTS; i++) {
		if (!console_serve(&guests[i].port, (struct console *)regions[i])) {
			print("the description maps no region of guest %u\n", i);
			return;
		}
	}
	print("waiting for the guests\n");
	for (unsigned i = 0; i < GUESTS; i++)
		serve(i);
}

void notified(microkit_channel channel) {
	if (channel >= FIRST_GUEST && channel < FIRST_GUEST + GUESTS) serve(channel - FIRST_GUEST);
}
