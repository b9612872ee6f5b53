// SPDX-License-Identifier: BSD-2-Clause
// Talks with a Linux guest: each line that the guest writes to its second serial port is shown on
// this component's console and answered on the same port.
#include <microkit.h>

#include <nacre/protocol/console.h>
#include <nacre/print.h>

enum {
	GUEST = 2, // channel; 0 is the console's
	LINE_SIZE = 80,
};

// Patched by the composer: the rings shared with the guest's monitor.
seL4_Word peer_vaddr;

// This end of a serial port is what the serial driver is for a console: the back end. Written by
// the functions of this file only; a component is one thread.
static struct console_end guest;
static char line[LINE_SIZE];
static unsigned length;

static void say(const char *text) {
	// A guest that never reads fills the ring; the rest is dropped, and this component never
	// waits for it.
	for (; *text; text++)
		ring_put(&guest.in, (const uint8_t *)text);
}

// A serial port whose guest did not set `stty -echo` sends our own words back.
static bool is_echo(void) { return __builtin_memcmp(line, "greeter:", 8) == 0; }

static void take_line(void) {
	line[length] = '\0';
	length = 0;
	if (line[0] == '\0' || is_echo()) return;
	print("the guest says: %s\n", line);
	say("greeter: ");
	say(line);
	say(" to you, too\n");
}

static void take_byte(uint8_t byte) {
	if (byte == '\n')
		take_line();
	else if (byte >= ' ' && length < LINE_SIZE - 1)
		line[length++] = (char)byte;
}

static void serve(void) {
	uint8_t byte;

	do {
		while (ring_get(&guest.out, &byte))
			take_byte(byte);
	} while (!ring_may_sleep(&guest.out));
	if (ring_must_notify(&guest.in)) microkit_notify(GUEST);
}

void init(void) {
	if (!console_serve(&guest, (struct console *)peer_vaddr)) {
		print("the description maps no region with the symbol peer_vaddr\n");
		return;
	}
	print("waiting for the guest\n");
	serve();
}

void notified(microkit_channel channel) {
	if (channel == GUEST) serve();
}
