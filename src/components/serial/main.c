// SPDX-License-Identifier: BSD-2-Clause
// The serial port driver: owns COM1, shows the consoles of other components on it and gives the
// keyboard to one of them. It never waits for a client: what a client has written is taken when the
// transmitter has room, and input for a full console is dropped.
#include <microkit.h>

#include <base/compiler.h>

#include <components/console.h>
#include <components/serial/keyboard.h>
#include <components/serial/multiplexer.h>
#include <components/serial/uart.h>

enum {
	CHANNEL_IRQ = 0,
	CHANNEL_FIRST_CONSOLE = 1, // console i has channel 1 + i
	CONSOLE_COUNT = 8,
	CONSOLE_DRIVER = CONSOLE_COUNT, // the driver's own lines
	BURST = 256, // characters of one console before the next has its turn
};

// Patched by the composer: where the consoles are mapped; 0 for those the description leaves out.
#define PATCHED __attribute__((section(".data")))
uint64_t console0_vaddr PATCHED;
uint64_t console1_vaddr PATCHED;
uint64_t console2_vaddr PATCHED;
uint64_t console3_vaddr PATCHED;
uint64_t console4_vaddr PATCHED;
uint64_t console5_vaddr PATCHED;
uint64_t console6_vaddr PATCHED;
uint64_t console7_vaddr PATCHED;

static const uint64_t *const console_vaddrs[CONSOLE_COUNT] = {&console0_vaddr, &console1_vaddr,
	&console2_vaddr, &console3_vaddr, &console4_vaddr, &console5_vaddr, &console6_vaddr,
	&console7_vaddr};

// State of the driver; one thread, written by the functions of this file only.
static struct multiplexer multiplexer;
static struct keyboard keyboard;
static struct byte_ring transmit; // characters on their way to the device
static bool transmitter_watched;

static struct console *console_at(int index) { return (struct console *)*console_vaddrs[index]; }

static void queue_character(void *context, uint8_t character) { ring_put(context, character); }

static void say(const char *text) {
	while (*text)
		multiplexer_put(&multiplexer, CONSOLE_DRIVER, (uint8_t)*text++);
}

// A console's label and kind become known with its first use; the first interactive one gets the
// keyboard.
static void console_greet(int index) {
	struct console *console = console_at(index);

	if (multiplexer.lines[index].name[0] == 0)
		multiplexer_name(&multiplexer, index, console->name, CONSOLE_NAME_LENGTH);
	if (multiplexer.focus == MULTIPLEXER_NONE &&
		atomic_load_explicit(&console->kind, memory_order_acquire) == CONSOLE_INTERACTIVE)
		multiplexer_focus(&multiplexer, index);
}

// Take up to a burst of output; returns whether there was any.
static bool console_drain(int index) {
	struct console *console = console_at(index);
	uint8_t character;
	int taken = 0;

	if (!console) return false;
	console_greet(index);
	while (taken < BURST && ring_free(&transmit) >= MULTIPLEXER_EXPANSION &&
		ring_get(&console->out, &character)) {
		multiplexer_put(&multiplexer, index, character);
		taken++;
	}
	return taken > 0;
}

static void drain_all(void) {
	bool more = true;

	while (more) {
		more = false;
		for (int i = 0; i < CONSOLE_COUNT; i++)
			more = console_drain(i) || more;
	}
}

// Fill the device's FIFO when it is empty, and have it interrupt while there is more.
static void transmit_pump(void) {
	uint8_t character;

	if (ring_used(&transmit) > 0 && uart_can_transmit()) {
		for (int i = 0; i < UART_FIFO_SIZE && ring_get(&transmit, &character); i++)
			uart_transmit(character);
	}
	if (ring_used(&transmit) > 0 && !transmitter_watched) {
		uart_watch_transmitter();
		transmitter_watched = true;
	} else if (ring_used(&transmit) == 0 && transmitter_watched) {
		uart_ignore_transmitter();
		transmitter_watched = false;
	}
}

static void focus_next(void) {
	int next = multiplexer.focus;

	for (int i = 0; i < CONSOLE_COUNT; i++) {
		next = (next + 1) % CONSOLE_COUNT;
		if (console_at(next)) break;
	}
	if (!console_at(next)) return;
	say("the keyboard now belongs to ");
	say(multiplexer.lines[next].name);
	say("\n");
	multiplexer_focus(&multiplexer, next);
}

static void input_put(uint8_t character) {
	switch (keyboard_put(&keyboard, character)) {
	case KEYBOARD_NOTHING: break;
	case KEYBOARD_NEXT_CONSOLE: focus_next(); break;
	case KEYBOARD_HELP:
		say("Ctrl-A c: next console   Ctrl-A Ctrl-A: send Ctrl-A   Ctrl-A h: this help\n");
		break;
	case KEYBOARD_CHARACTER:
		if (multiplexer.focus != MULTIPLEXER_NONE)
			ring_put(&console_at(multiplexer.focus)->in, character);
		break;
	}
}

static void receive_all(void) {
	uint8_t character;
	bool any = false;

	while (uart_receive(&character)) {
		input_put(character);
		any = true;
	}
	if (any && multiplexer.focus != MULTIPLEXER_NONE)
		microkit_notify(CHANNEL_FIRST_CONSOLE + (microkit_channel)multiplexer.focus);
}

void init(void) {
	multiplexer_init(&multiplexer, queue_character, &transmit);
	multiplexer_name(&multiplexer, CONSOLE_DRIVER, microkit_name, MICROKIT_PD_NAME_LENGTH);
	uart_init();
	receive_all();
}

// Serve device and clients until the device asks for nothing: its line is low then, so that the
// next cause makes an edge.
static void service(void) {
	do {
		receive_all();
		drain_all();
		transmit_pump();
	} while (uart_interrupt_pending());
}

void notified(microkit_channel channel) {
	// The pin is masked until the acknowledgement and forgets edges meanwhile: unmask first.
	if (channel == CHANNEL_IRQ) microkit_irq_ack(CHANNEL_IRQ);
	service();
}
