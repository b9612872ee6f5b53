// SPDX-License-Identifier: BSD-2-Clause
// The serial port driver: owns COM1, shows the consoles of other components on it and gives the
// keyboard to one of them. It never waits for a client: output is taken when the transmitter has
// room, and input for a full console is dropped. Where there is a screen, that shows the same, and
// each console alone on a terminal of its own; keys of both are the same.
#include <microkit.h>

#include <base/bits.h>
#include <base/format.h>

#include <nacre/guest.h>
#include <nacre/protocol/console.h>
#include <drivers/serial/keyboard.h>
#include <drivers/serial/mirror.h>
#include <drivers/serial/multiplexer.h>
#include <drivers/serial/questions.h>
#include <drivers/serial/uart.h>

enum {
	CHANNEL_IRQ = 0,
	CHANNEL_FIRST_CONSOLE = 1, // console i has channel 1 + i
	CONSOLE_COUNT = 8,
	CHANNEL_SCREEN = CHANNEL_FIRST_CONSOLE + CONSOLE_COUNT,
	FIRST_PLACE = 1, // console i has the screen's terminal 1 + i
	CONSOLE_DRIVER = CONSOLE_COUNT, // the driver's own lines
	BURST = 256, // characters of one console before it is the next one's turn
};

// Patched by the composer: where the consoles are mapped; 0 for those not in the description.
#define PATCHED __attribute__((section(".data")))
uint64_t console0_vaddr PATCHED;
uint64_t console1_vaddr PATCHED;
uint64_t console2_vaddr PATCHED;
uint64_t console3_vaddr PATCHED;
uint64_t console4_vaddr PATCHED;
uint64_t console5_vaddr PATCHED;
uint64_t console6_vaddr PATCHED;
uint64_t console7_vaddr PATCHED;
uint64_t screen_vaddr PATCHED; // what is shared with the screen's component

static const uint64_t *const console_vaddrs[CONSOLE_COUNT] = {&console0_vaddr, &console1_vaddr,
	&console2_vaddr, &console3_vaddr, &console4_vaddr, &console5_vaddr, &console6_vaddr,
	&console7_vaddr};

// State of the driver; one thread, written by the functions of this file only.
static struct multiplexer multiplexer;
static struct keyboard keyboard;
static struct mirror mirror;
static struct questions questions;
static struct console_end consoles[CONSOLE_COUNT];
static bool console_present[CONSOLE_COUNT];
static struct guest guests[CONSOLE_COUNT]; // of those clients that run one
static bool transmitter_watched;

// Characters on their way to the device: a ring with both ends in the driver.
static _Alignas(RING_LINE) uint8_t transmit[RING_HEADER + 8192];
static struct ring_end transmit_in;
static struct ring_end transmit_out;

// Who asks its terminal something is answered by the one on which a key was pressed last.
static void queue_character(void *, uint8_t character) {
	uint8_t sent[QUESTION_LENGTH];
	unsigned count = questions_put(&questions, character, mirror.typist != MIRROR_SERIAL, sent);

	for (unsigned i = 0; i < count; i++)
		(void)ring_put(&transmit_in, &sent[i]);
	mirror_put(&mirror, 0, character);
}

static void say(const char *text) {
	while (*text)
		multiplexer_put(&multiplexer, CONSOLE_DRIVER, (uint8_t)*text++);
}

// A console's label and kind are read at its first use; the first interactive one gets the
// keyboard.
static void console_greet(int index) {
	struct console *console = (struct console *)*console_vaddrs[index];

	if (multiplexer.lines[index].name[0] == 0)
		multiplexer_name(&multiplexer, index, console->name, CONSOLE_NAME_LENGTH);
	if (multiplexer.focus == MULTIPLEXER_NONE &&
		__atomic_load_n(&console->kind, __ATOMIC_ACQUIRE) == CONSOLE_INTERACTIVE)
		multiplexer_focus(&multiplexer, index);
}

// On the console's own terminal of the screen. Only an interactive one says itself where a line
// starts.
static void mirror_character(int index, uint8_t character) {
	const struct console *console = (const struct console *)*console_vaddrs[index];
	unsigned place = FIRST_PLACE + (unsigned)index;

	if (character == '\n' &&
		__atomic_load_n(&console->kind, __ATOMIC_RELAXED) != CONSOLE_INTERACTIVE)
		mirror_put(&mirror, place, '\r');
	mirror_put(&mirror, place, character);
}

// Take up to a burst of output; returns whether there may be more that the device has room for. A
// console is asked to notify only when it is empty: the others are served when the device has room.
static bool console_drain(int index) {
	struct console_end *console = &consoles[index];
	uint8_t character;

	if (!console_present[index]) return false;
	console_greet(index);
	for (int taken = 0; taken < BURST; taken++) {
		if (ring_room(&transmit_in) < MULTIPLEXER_EXPANSION + QUESTION_LENGTH) return false;
		if (!ring_get(&console->out, &character)) return !ring_may_sleep(&console->out);
		multiplexer_put(&multiplexer, index, character);
		mirror_character(index, character);
	}
	return true;
}

static void drain_all(void) {
	bool more = true;

	while (more) {
		more = false;
		for (int i = 0; i < CONSOLE_COUNT; i++)
			more = console_drain(i) || more;
	}
}

// Fill the device's FIFO when it is empty, and enable its interrupt while there is more.
static void transmit_pump(void) {
	uint8_t character;

	if (ring_count(&transmit_out) > 0 && uart_can_transmit()) {
		for (int i = 0; i < UART_FIFO_SIZE && ring_get(&transmit_out, &character); i++)
			uart_transmit(character);
	}
	if (ring_count(&transmit_out) > 0 && !transmitter_watched) {
		uart_watch_transmitter();
		transmitter_watched = true;
	} else if (ring_count(&transmit_out) == 0 && transmitter_watched) {
		uart_ignore_transmitter();
		transmitter_watched = false;
	}
}

// Returns to the view of all consoles, and prints how many lines the raw one left out.
static void end_raw(void) {
	unsigned hidden = multiplexer_end_raw(&multiplexer);
	char line[64];

	if (hidden == 0) return;
	(void)format_text(line, sizeof(line), "%u lines of others were not shown\n", hidden);
	say(line);
}

static void switch_view(void) {
	if (multiplexer.raw) {
		end_raw();
		return;
	}
	say("raw view: Ctrl-A v ends it\n");
	multiplexer_begin_raw(&multiplexer);
}

// A console without a name has not been opened: no program would read the input.
static bool has_client(int index) { return multiplexer.lines[index].name[0] != 0; }

static void attach(unsigned client) {
	end_raw();
	if (client >= CONSOLE_COUNT || !has_client((int)client)) {
		say("there is no client of this number: Ctrl-A g shows them\n");
		return;
	}
	say("the keyboard now belongs to ");
	say(multiplexer.lines[client].name);
	say("\n");
	multiplexer_focus(&multiplexer, (int)client);
}

static void focus_next(void) {
	int next = multiplexer.focus;

	for (int i = 0; i < CONSOLE_COUNT; i++) {
		next = (next + 1) % CONSOLE_COUNT;
		if (has_client(next)) break;
	}
	if (has_client(next)) attach((unsigned)next);
}

static bool has_guest(int index) {
	return console_present[index] && guest_status(&guests[index]).state != GUEST_UNKNOWN;
}

static void list_client(int index) {
	struct guest_status status;
	char line[128];

	(void)format_text(line, sizeof(line), "%c%u %s", index == multiplexer.focus ? '*' : ' ',
		(unsigned)index + 1, multiplexer.lines[index].name);
	say(line);
	if (has_guest(index)) {
		status = guest_status(&guests[index]);
		(void)format_text(line, sizeof(line), ": guest %s since %s, %u restarts",
			guest_state_name(status.state), guest_cause_name(status.cause),
			status.restarts);
		say(line);
	}
	say("\n");
}

static void list_clients(void) {
	end_raw();
	for (int i = 0; i < CONSOLE_COUNT; i++)
		if (has_client(i)) list_client(i);
	say("Ctrl-A and a number attaches the keyboard; to the guest with it (*): p: pause   "
	    "u: resume   r: reset   o: power button   n: NMI   k: stop\n");
}

// The monitor says on its console what it did.
static void send_command(enum guest_command command) {
	if (!has_guest(multiplexer.focus))
		say("the client with the keyboard has no guest: Ctrl-A g shows those that have\n");
	else if (!guest_command(&guests[multiplexer.focus], command))
		say("the guest's monitor has not answered the last command yet\n");
}

// The console in focus is notified of these as of bytes, but always: it may have slept before.
static void send_break(void) {
	struct console *console = (struct console *)*console_vaddrs[multiplexer.focus];

	__atomic_store_n(
		&console->break_head, consoles[multiplexer.focus].in.own, __ATOMIC_RELAXED);
	__atomic_fetch_add(&console->breaks, 1, __ATOMIC_RELEASE);
	microkit_notify(CHANNEL_FIRST_CONSOLE + (unsigned)multiplexer.focus);
}

// Returns the consoles that got something: bit i for console i.
static uint32_t input_put(uint8_t character) {
	bool focused = multiplexer.focus != MULTIPLEXER_NONE;

	switch (keyboard_put(&keyboard, character)) {
	case KEYBOARD_NOTHING: break;
	case KEYBOARD_NEXT_CONSOLE: focus_next(); break;
	case KEYBOARD_HELP:
		say("Ctrl-A c: next console   v: raw view   b: send BREAK   g: guests and their "
		    "keys   Ctrl-A: send Ctrl-A   h: this help\n");
		break;
	case KEYBOARD_RAW_VIEW: switch_view(); break;
	case KEYBOARD_BREAK:
		if (focused) send_break();
		break;
	case KEYBOARD_LIST: list_clients(); break;
	case KEYBOARD_ATTACH: attach(keyboard.client); break;
	case KEYBOARD_COMMAND:
		if (focused) send_command(keyboard.command);
		break;
	case KEYBOARD_CHARACTER:
		if (!focused) break;
		(void)ring_put(&consoles[multiplexer.focus].in, &character);
		return (uint32_t)BIT(multiplexer.focus);
	}
	return 0;
}

// What is typed on a console's own terminal of the screen is for that console, commands too.
static uint32_t screen_put(unsigned place, uint8_t character) {
	unsigned index = place - FIRST_PLACE;

	if (place < FIRST_PLACE) return input_put(character);
	if (!console_present[index] || !has_client((int)index)) return 0;
	(void)ring_put(&consoles[index].in, &character);
	return (uint32_t)BIT(index);
}

static void receive_all(void) {
	uint32_t fed = 0;
	uint8_t character;
	unsigned place;

	while (uart_receive(&character)) {
		mirror.typist = MIRROR_SERIAL;
		fed |= input_put(character);
	}
	while (mirror_get(&mirror, &place, &character))
		fed |= screen_put(place, character);
	for (; fed != 0; fed &= fed - 1) {
		unsigned console = bits_lowest(fed);

		if (ring_must_notify(&consoles[console].in))
			microkit_notify(CHANNEL_FIRST_CONSOLE + console);
	}
}

static void open_rings(void) {
	(void)ring_attach_producer(&transmit_in, transmit, sizeof(transmit), 1);
	(void)ring_attach_consumer(&transmit_out, transmit, sizeof(transmit), 1);
	for (int i = 0; i < CONSOLE_COUNT; i++) {
		struct console *console = (struct console *)*console_vaddrs[i];

		console_present[i] = console_serve(&consoles[i], console) &&
			guest_open(&guests[i], (uint64_t)&console->guest,
				CHANNEL_FIRST_CONSOLE + (unsigned)i);
	}
}

// Serve device and clients until the device has no cause to interrupt: its line is low then, so
// that the next cause makes an edge.
static void service(void) {
	do {
		receive_all();
		drain_all();
		transmit_pump();
	} while (uart_interrupt_pending());
	if (mirror_must_notify(&mirror)) microkit_notify(CHANNEL_SCREEN);
}

void init(void) {
	open_rings();
	mirror_open(&mirror, (struct screen_link *)screen_vaddr);
	multiplexer_init(&multiplexer, queue_character, NULL);
	multiplexer_name(&multiplexer, CONSOLE_DRIVER, microkit_name, MICROKIT_PD_NAME_LENGTH);
	if (!uart_init()) mirror.typist = 0;
	// A restarted driver finds earlier output. The runtime unmasks the interrupt only after
	// `init`, and an edge before that would be lost.
	microkit_irq_ack(CHANNEL_IRQ);
	service();
}

void notified(microkit_channel channel) {
	// The pin is masked until the acknowledgement and loses edges meanwhile: unmask first.
	if (channel == CHANNEL_IRQ) microkit_irq_ack(CHANNEL_IRQ);
	service();
}
