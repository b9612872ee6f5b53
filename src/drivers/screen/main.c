// SPDX-License-Identifier: BSD-2-Clause
// The screen and the keyboard of a PC as terminals: the first one shows what the serial driver
// shows on its line, the others a console of it each. What is typed goes to the serial driver, with
// the terminal that was shown.
#include <microkit.h>

#include <abi/bootinfo.h>
#include <base/bits.h>

#include <drivers/screen/display.h>
#include <drivers/screen/i8042.h>
#include <drivers/screen/scancode.h>
#include <nacre/print.h>
#include <nacre/protocol/screen.h>

enum {
	CODES_AT_ONCE = 64, // of the keyboard
	CHANNEL_IRQ = 1,
	CHANNEL_SERIAL = 2,
	PORT_DATA = 0,
	PORT_STATUS = 1,
	PAGE_MASK = 0xfff,
	BATCH = 8192, // bytes before they are drawn
};

// Patched by the composer.
uint64_t link_vaddr __attribute__((section(".data")));
uint64_t screen_info_vaddr __attribute__((section(".data")));
uint64_t screen_vaddr __attribute__((section(".data")));

// State of the component; one thread, written by the functions of this file only.
static struct screen_end link;
static struct terminal terminals[SCREEN_PLACES];
static struct display display;
static struct scancodes scancodes;
static unsigned place; // of the terminal that is shown
static bool has_screen;
static bool has_keyboard;
static bool has_sent; // since the serial driver was notified

static microkit_ioport port_id(uint16_t port) {
	return port == I8042_DATA ? PORT_DATA : PORT_STATUS;
}

static uint8_t port_read(uint16_t port) { return microkit_x86_ioport_read_8(port_id(port), port); }

static void port_write(uint16_t port, uint8_t value) {
	microkit_x86_ioport_write_8(port_id(port), port, value);
}

static struct i8042 i8042 = {.read = port_read, .write = port_write};

// A byte that finds no room is lost, as on a serial line.
static void send(unsigned from, uint8_t byte) {
	struct screen_item item = {(uint8_t)from, byte};

	(void)ring_put(&link.out, &item);
	has_sent = true;
}

// What the kernel says of the screen that it uses; null if there is none.
static const uint8_t *find_screen(void) {
	const struct bootinfo_chunk *chunk = (const struct bootinfo_chunk *)screen_info_vaddr;

	if (!chunk || chunk->id != BOOTINFO_SCREEN || chunk->length < sizeof(*chunk) + SCREEN_INFO)
		return NULL;
	return (const uint8_t *)(chunk + 1);
}

static bool open_screen(void) {
	const uint8_t *info = find_screen();
	uint64_t address;

	if (!info || !screen_vaddr) return false;
	address = bytes_number(info, SCREEN_START, sizeof(address));
	return display_open(&display, info, (uint8_t *)(screen_vaddr + (address & PAGE_MASK)));
}

static void answer(unsigned from) {
	struct terminal *terminal = &terminals[from];

	for (unsigned i = 0; i < terminal->answer_length; i++)
		send(from | SCREEN_ANSWER, terminal->answer[i]);
	terminal->answer_length = 0;
}

// Returns whether there may be more.
static bool take_batch(void) {
	struct screen_item item;

	for (unsigned i = 0; i < BATCH; i++) {
		if (!ring_get(&link.in, &item)) return !ring_may_sleep(&link.in);
		if (item.place >= SCREEN_PLACES) continue;
		terminal_put(&terminals[item.place], item.byte);
		if (terminals[item.place].answer_length > 0) answer(item.place);
	}
	return true;
}

static void show(unsigned next) {
	place = next % SCREEN_PLACES;
	display_show(&display, &terminals[place]);
}

static void take_key(const struct key *key) {
	for (unsigned i = 0; i < key->length; i++)
		send(place, key->bytes[i]);
	if (key->changes_leds) i8042_set_leds(&i8042, scancodes_leds(&scancodes));
	if (key->place >= 0)
		show((unsigned)key->place);
	else if (key->place == KEY_NEXT_PLACE)
		show(place + 1);
	else if (key->place == KEY_LAST_PLACE)
		show(place + SCREEN_PLACES - 1);
}

// A controller that always says that it has a code keeps nothing else waiting.
static void take_keys(void) {
	struct key key;
	uint8_t code;

	for (unsigned i = 0; i < CODES_AT_ONCE && has_keyboard && i8042_receive(&i8042, &code);
		i++) {
		key = scancodes_put(&scancodes, code, terminals[place].has_cursor_keys);
		take_key(&key);
	}
}

static void service(void) {
	bool more = true;

	if (!has_screen) return;
	while (more) {
		take_keys();
		more = take_batch();
		display_show(&display, &terminals[place]);
	}
	if (has_sent && ring_must_notify(&link.out)) microkit_notify(CHANNEL_SERIAL);
	has_sent = false;
}

void init(void) {
	if (!screen_serve(&link, (struct screen_link *)link_vaddr)) return;
	has_screen = open_screen();
	if (!has_screen) {
		print("screen: this machine has none that is used; the serial line has all\n");
		return;
	}
	for (unsigned i = 0; i < SCREEN_PLACES; i++)
		terminal_init(&terminals[i], display.columns, display.rows);
	print("screen: %u x %u characters; Alt-F1 shows what the serial line does, Alt-F2 to F9 a "
	      "client each\n",
		display.columns, display.rows);
	has_keyboard = i8042_open(&i8042);
	if (!has_keyboard) print("screen: no PS/2 keyboard: its controller does not answer\n");
	// Keys before this are read below; their edge is lost, the next one's is not.
	microkit_irq_ack(CHANNEL_IRQ);
	if (has_keyboard) i8042_set_leds(&i8042, scancodes_leds(&scancodes));
	service();
}

void notified(microkit_channel channel) {
	// The pin is masked until the acknowledgement and loses edges meanwhile: unmask first.
	if (channel == CHANNEL_IRQ) microkit_irq_ack(CHANNEL_IRQ);
	service();
}
