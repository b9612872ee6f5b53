// SPDX-License-Identifier: BSD-2-Clause
// Scan codes, and the controller that they come from.
#include "test.h"

#include <string.h>

#include <drivers/screen/i8042.h>
#include <drivers/screen/scancode.h>

enum { UP = 0x80, QUEUE = 256 };

static struct scancodes scancodes;
static bool has_cursor_keys;

static struct key press(uint8_t code) { return scancodes_put(&scancodes, code, has_cursor_keys); }

// What the codes, which end with 0, send in all.
static bool sends(const char *codes, const char *text) {
	uint8_t bytes[64];
	unsigned length = 0;

	for (; *codes; codes++) {
		struct key key = press((uint8_t)*codes);

		memcpy(bytes + length, key.bytes, key.length);
		length += key.length;
	}
	return length == strlen(text) && !memcmp(bytes, text, length);
}

static void letters(void) {
	scancodes = (struct scancodes){0};
	has_cursor_keys = false;
	check(sends("\x1e\x9e\x30\xb0\x39\xb9\x02\x0e\x1c\x0f\x01", "ab 1\x7f\r\t\x1b"));
	check(sends("\x2a\x1e\x02\x0f\xaa\x1e", "A!\x1b[Za"));
	check(sends("\x36\x2b\x28\xb6\x28\x56", "|\"'\\"));
	// A key that repeats.
	check(sends("\x10\x10\x10\x90", "qqq"));
}

static void capitals(void) {
	struct key key;

	scancodes = (struct scancodes){0};
	key = press(0x3a);
	check(key.changes_leds && scancodes_leds(&scancodes) == LED_CAPITALS);
	// It repeats, too.
	check(!press(0x3a).changes_leds && !press(0x3a | UP).changes_leds);
	check(sends("\x1e\x02\x2a\x1e\xaa", "A1a"));
	check(press(0x3a).changes_leds && scancodes_leds(&scancodes) == 0);
	check(sends("\xba\x1e", "a"));
}

static void modified(void) {
	struct key key;

	scancodes = (struct scancodes){0};
	// Ctrl-C, Ctrl-A, by both keys; Ctrl-_ and Ctrl-[.
	check(sends("\x1d\x2e\x9d\xe0\x1d\x1e\xe0\x9d\x1d\x0c\x1a\x9d\x2e",
		"\x03\x01\x1f\x1b"
		"c"));
	key = press(0x1d);
	key = press(0x39);
	check(key.length == 1 && key.bytes[0] == 0);
	check(sends("\x9d\x38\x30\xb8\x30",
		"\x1b"
		"bb"));
	check(sends("\xe0\x38\x30\xe0\xb8\x30",
		"\x1b"
		"bb"));
}

static void cursor_keys(void) {
	scancodes = (struct scancodes){0};
	check(sends("\xe0\x48\xe0\xc8\xe0\x50\xe0\x4d\xe0\x4b", "\x1b[A\x1b[B\x1b[C\x1b[D"));
	has_cursor_keys = true;
	check(sends("\xe0\x48\xe0\x47\xe0\x53", "\x1bOA\x1b[1~\x1b[3~"));
	has_cursor_keys = false;
	check(sends("\xe0\x49\xe0\x51\xe0\x52\xe0\x4f", "\x1b[5~\x1b[6~\x1b[2~\x1b[4~"));
	// With the shifts that keyboards add.
	check(sends("\xe0\x2a\xe0\x48\xe0\xc8\xe0\xaa\x1e",
		"\x1b[A"
		"a"));
	check(sends("\x3b\x3e\x3f\x44\x57\x58", "\x1bOP\x1bOS\x1b[15~\x1b[21~\x1b[23~\x1b[24~"));
}

static void keypad(void) {
	scancodes = (struct scancodes){0};
	check(sends("\x48\x4a\x4e\xe0\x35\xe0\x1c\x37", "\x1b[A-+/\r*"));
	check(press(0x45).changes_leds && scancodes_leds(&scancodes) == LED_NUMBERS);
	check(sends("\xc5\x47\x48\x52\x53", "780."));
	check(sends("\x2a\x48\xaa", "\x1b[A"));
	// Pause is six codes, of which none is a key.
	check(sends("\xe1\x1d\x45\xe1\x9d\xc5\x1e", "a"));
	check(scancodes_leds(&scancodes) == LED_NUMBERS);
}

static void places(void) {
	scancodes = (struct scancodes){0};
	check(press(0x3b).place == KEY_NO_PLACE && press(0x38).length == 0);
	check(press(0x3b).place == 0 && press(0x43).place == 8);
	check(press(0x44).place == KEY_NO_PLACE && press(0x44).length == 0);
	check(press(0xe0).place == KEY_NO_PLACE && press(0x4d).place == KEY_NEXT_PLACE);
	check(press(0xe0).place == KEY_NO_PLACE && press(0x4b).place == KEY_LAST_PLACE);
	(void)press(0x38 | UP);
	check(sends("\x3b", "\x1bOP"));
}

// A key's text never has more bytes than there are.
static void any_codes(void) {
	uint32_t state = 1;

	scancodes = (struct scancodes){0};
	for (unsigned i = 0; i < 2000000; i++) {
		struct key key;

		state = state * 1664525 + 1013904223;
		has_cursor_keys = state >> 30 & 1;
		key = press((uint8_t)(state >> 20));
		check(key.length <= KEY_BYTES && key.place >= KEY_LAST_PLACE &&
			key.place < PLACE_KEYS);
	}
}

// A controller with a keyboard behind it.
static struct {
	uint8_t queue[QUEUE];
	unsigned first, last;
	uint8_t mode, command, leds, set;
	bool is_absent, is_silent, refuses, has_keyboard, is_enabled, wants_leds, wants_set,
		is_mouse;
	unsigned reads;
} machine;

static void reply(uint8_t value) { machine.queue[machine.last++ % QUEUE] = value; }

static uint8_t machine_read(uint16_t port) {
	bool has_more = machine.first != machine.last;

	machine.reads++;
	if (machine.is_absent) return 0xff;
	if (port == I8042_STATUS) return (uint8_t)(has_more | (machine.is_mouse ? 0x20 : 0));
	return has_more ? machine.queue[machine.first++ % QUEUE] : 0;
}

static void keyboard_write(uint8_t value) {
	if (!machine.has_keyboard) return;
	if (machine.refuses) {
		reply(0xfe);
		return;
	}
	if (machine.wants_leds) machine.leds = value;
	if (machine.wants_set) machine.set = value;
	machine.is_enabled |= value == 0xf4;
	machine.wants_leds = value == 0xed;
	machine.wants_set = value == 0xf0;
	reply(0xfa);
}

static void machine_write(uint16_t port, uint8_t value) {
	if (machine.is_absent || machine.is_silent) return;
	if (port == I8042_STATUS) {
		machine.command = value;
		if (value == 0x20) reply(machine.mode);
	} else if (machine.command == 0x60) {
		machine.mode = value;
		machine.command = 0;
	} else
		keyboard_write(value);
}

static struct i8042 i8042 = {.read = machine_read, .write = machine_write};

static void machine_begin(void) {
	memset(&machine, 0, sizeof(machine));
	machine.has_keyboard = true;
	machine.mode = 0x30; // both devices are off
}

static void controller(void) {
	uint8_t code;

	machine_begin();
	reply(0x1e); // a key of the boot menu
	check(i8042_open(&i8042) && machine.mode == 0x61 && machine.is_enabled && machine.set == 2);
	check(!i8042_receive(&i8042, &code));
	reply(0x1e);
	reply(0x9e);
	check(i8042_receive(&i8042, &code) && code == 0x1e);
	check(i8042_receive(&i8042, &code) && code == 0x9e);
	check(!i8042_receive(&i8042, &code));
	// The LEDs go after the command is taken, and keys between are no answer.
	reply(0x10);
	i8042_set_leds(&i8042, 5);
	check(i8042_receive(&i8042, &code) && code == 0x10 && machine.leds == 0);
	check(!i8042_receive(&i8042, &code) && machine.leds == 5);
	machine.is_mouse = true;
	reply(0x42);
	check(!i8042_receive(&i8042, &code));
}

static void controllers_that_fail(void) {
	uint8_t code;

	machine_begin();
	machine.is_absent = true;
	check(!i8042_open(&i8042) && machine.reads < 10);
	machine_begin();
	machine.is_silent = true;
	check(!i8042_open(&i8042) && machine.reads < 1000000);
	// Without a keyboard, or with one that knows no command: it may come, or work, all the
	// same.
	machine_begin();
	machine.has_keyboard = false;
	check(i8042_open(&i8042) && machine.mode == 0x61 && machine.reads < 1000000);
	machine_begin();
	machine.refuses = true;
	check(i8042_open(&i8042) && machine.mode == 0x61 && machine.reads < 10000000);
	// One that never ends does not hold the driver.
	machine_begin();
	for (unsigned i = 0; i < QUEUE - 1; i++)
		reply(0xfa);
	check(!i8042_receive(&i8042, &code));
}

static const struct test rows[] = {
	{"user/keys/letters", "keys and shifts are the US layout's", letters},
	{"user/keys/capitals", "the lock is for letters, and repeats do not change it", capitals},
	{"user/keys/modified", "Ctrl and Alt, left and right", modified},
	{"user/keys/cursor", "keys without a character send sequences", cursor_keys},
	{"user/keys/pad", "the keypad has numbers, or cursor keys", keypad},
	{"user/keys/places", "Alt and a function key choose a terminal", places},
	{"user/keys/any", "any codes are harmless", any_codes},
	{"user/keys/controller", "the controller is set up, and keys come", controller},
	{"user/keys/failing", "no controller, none that answers, no keyboard",
		controllers_that_fail},
};

const struct tests keys_tests = {rows, array_count(rows)};
