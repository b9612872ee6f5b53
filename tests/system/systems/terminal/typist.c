// SPDX-License-Identifier: BSD-2-Clause
// Has the keyboard: shows each byte that it gets, clears its terminal at Ctrl-L and asks it at ?
// where its cursor is.
#include <microkit.h>

#include <nacre/protocol/console.h>

enum { CHANNEL_SERIAL = 0, CONTROL_L = 0x0c };

// Patched by the composer.
uint64_t console_vaddr __attribute__((section(".data")));

static struct console_end console; // written by init and the ring's functions

// What finds no room is lost.
static void say(const char *text) {
	for (; *text; text++)
		(void)ring_put(&console.out, (const uint8_t *)text);
}

static void show(uint8_t byte) {
	static const char digits[] = "0123456789abcdef";
	char text[] = {'<', digits[byte >> 4], digits[byte & 15], '>', '\r', '\n', 0};

	say(text);
	if (byte == CONTROL_L) say("\x1b[2J\x1b[3;5H\x1b[31;44mcleared\x1b[m\r\n");
	if (byte == '?') say("\x1b[7;9H\x1b[6n\r\n");
}

static void service(void) {
	uint8_t byte;

	do {
		while (ring_get(&console.in, &byte))
			show(byte);
	} while (!ring_may_sleep(&console.in));
	if (ring_must_notify(&console.out)) microkit_notify(CHANNEL_SERIAL);
}

void init(void) {
	(void)console_open(
		&console, (struct console *)console_vaddr, "typist", CONSOLE_INTERACTIVE);
	say("typist: ready\r\n");
	service();
}

void notified(microkit_channel) { service(); }
