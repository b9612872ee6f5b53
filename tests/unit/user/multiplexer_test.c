// SPDX-License-Identifier: BSD-2-Clause
// What the terminal shows when several consoles write.
#include "test.h"

#include <drivers/serial/keyboard.h>
#include <drivers/serial/multiplexer.h>
#include <string.h>

enum {
	GUEST,
	CLIENT,
};

static char terminal[8192];
static size_t terminal_length;
static struct multiplexer multiplexer;

static void put_terminal(void *, uint8_t character) {
	if (terminal_length < sizeof(terminal) - 1) terminal[terminal_length++] = (char)character;
	terminal[terminal_length] = 0;
}

static void start(void) {
	terminal_length = 0;
	terminal[0] = 0;
	multiplexer_init(&multiplexer, put_terminal, NULL);
	multiplexer_name(&multiplexer, GUEST, "linux", 6);
	multiplexer_name(&multiplexer, CLIENT, "client", 7);
	multiplexer_focus(&multiplexer, GUEST);
}

static void write(int console, const char *text) {
	while (*text)
		multiplexer_put(&multiplexer, console, (uint8_t)*text++);
}

static int shows(const char *text) { return strcmp(terminal, text) == 0; }

static void labels(void) {
	start();
	write(GUEST, "one\r\ntwo\n");
	write(CLIENT, "three\n\n");
	check(shows("[linux] one\r\n[linux] two\r\n[client] three\r\n[client] \r\n"));
}

static void partial_lines(void) {
	start();
	write(GUEST, "prompt# ");
	check(shows("[linux] prompt# "));
	write(CLIENT, "tick");
	check(shows("[linux] prompt# "));
	write(CLIENT, "\n");
	check(shows("[linux] prompt# \r\n[client] tick\r\n"));
	write(GUEST, "l");
	check(shows("[linux] prompt# \r\n[client] tick\r\n[linux] prompt# l"));
}

static void editing(void) {
	start();
	write(GUEST, "ab\b\x1b[J");
	check(shows("[linux] ab\b\x1b[J"));
	write(CLIENT, "x\n");
	write(GUEST, "c");
	check(shows("[linux] ab\b\x1b[J\r\n[client] x\r\n[linux] ac"));
	write(GUEST, "\rnew");
	check(shows("[linux] ab\b\x1b[J\r\n[client] x\r\n[linux] ac\r[linux] new"));
}

static void escapes_elsewhere(void) {
	start();
	write(CLIENT, "\x1b[31mred\x1b[6n\x1bM!\x01\x7f\n");
	check(shows("[client] red!\x7f\r\n"));
}

static void long_lines(void) {
	char line[601];

	memset(line, 'x', 600);
	line[600] = 0;
	start();
	write(GUEST, line);
	write(GUEST, "\n");
	check(terminal_length == strlen("[linux] ") + 600 + 2);
	start();
	write(CLIENT, line);
	write(CLIENT, "\n");
	check(terminal_length == 3 * strlen("[client] \r\n") + 600);
}

// One character never becomes more than the driver keeps room for.
static void expansion(void) {
	start();
	multiplexer_name(&multiplexer, GUEST, "0123456789012345678901234567890123456789", 41);
	for (int i = 0; i < 2 * MULTIPLEXER_LINE; i++) {
		size_t before;

		write(CLIENT, "y");
		write(CLIENT, "\n");
		before = terminal_length;
		write(GUEST, "z");
		check(terminal_length - before <= MULTIPLEXER_EXPANSION);
		if (terminal_length > sizeof(terminal) / 2) terminal_length = 0;
	}
}

static void hostile_names(void) {
	start();
	multiplexer_name(&multiplexer, CLIENT, "\x1b[2J no end", 8);
	write(CLIENT, "a\n");
	check(shows("[?[2J?no?] a\r\n"));
}

static void raw_view(void) {
	start();
	multiplexer_focus(&multiplexer, MULTIPLEXER_NONE);
	multiplexer_begin_raw(&multiplexer);
	check(!multiplexer.raw && multiplexer_end_raw(&multiplexer) == 0 && shows(""));
	multiplexer_focus(&multiplexer, GUEST);
	write(GUEST, "half");
	write(CLIENT, "part");
	multiplexer_begin_raw(&multiplexer);
	terminal_length = 0;
	write(GUEST, "\033[2J\033[6n\rcell\b\001\r\n~\n");
	write(CLIENT, " one\ntwo\nthree");
	check(shows("\033[2J\033[6n\rcell\b\001\r\n~\n"));
	terminal_length = 0;
	check(multiplexer_end_raw(&multiplexer) == 2);
	write(CLIENT, "four\n");
	write(GUEST, "shell# ");
	check(shows("\r\n[client] four\r\n[linux] shell# "));
}

static void focus_moves(void) {
	start();
	write(GUEST, "prompt# ");
	write(CLIENT, "name? ");
	multiplexer_focus(&multiplexer, CLIENT);
	check(shows("[linux] prompt# \r\n[client] name? "));
	write(CLIENT, "x");
	write(GUEST, "hidden");
	check(shows("[linux] prompt# \r\n[client] name? x"));
}

static void keys(void) {
	struct keyboard keyboard = {0};

	check(keyboard_put(&keyboard, 'a') == KEYBOARD_CHARACTER);
	check(keyboard_put(&keyboard, 1) == KEYBOARD_NOTHING);
	check(keyboard_put(&keyboard, 'c') == KEYBOARD_NEXT_CONSOLE);
	check(keyboard_put(&keyboard, 'c') == KEYBOARD_CHARACTER);
	check(keyboard_put(&keyboard, 1) == KEYBOARD_NOTHING);
	check(keyboard_put(&keyboard, 1) == KEYBOARD_CHARACTER);
	check(keyboard_put(&keyboard, 1) == KEYBOARD_NOTHING);
	check(keyboard_put(&keyboard, 'h') == KEYBOARD_HELP);
	check(keyboard_put(&keyboard, 1) == KEYBOARD_NOTHING);
	check(keyboard_put(&keyboard, 'z') == KEYBOARD_NOTHING);
	check(keyboard_put(&keyboard, 'z') == KEYBOARD_CHARACTER);
	check(keyboard_put(&keyboard, 1) == KEYBOARD_NOTHING);
	check(keyboard_put(&keyboard, 'v') == KEYBOARD_RAW_VIEW);
	check(keyboard_put(&keyboard, 1) == KEYBOARD_NOTHING);
	check(keyboard_put(&keyboard, 'b') == KEYBOARD_BREAK);
	check(keyboard_put(&keyboard, 1) == KEYBOARD_NOTHING);
	check(keyboard_put(&keyboard, '3') == KEYBOARD_ATTACH && keyboard.client == 2);
	check(keyboard_put(&keyboard, '3') == KEYBOARD_CHARACTER);
	check(keyboard_put(&keyboard, 1) == KEYBOARD_NOTHING);
	check(keyboard_put(&keyboard, '0') == KEYBOARD_NOTHING);
	check(keyboard_put(&keyboard, 1) == KEYBOARD_NOTHING);
	check(keyboard_put(&keyboard, 'g') == KEYBOARD_LIST);
}

static void guest_keys(void) {
	static const struct {
		char key;
		enum guest_command command;
	} rows[] = {{'p', GUEST_PAUSE}, {'u', GUEST_RESUME}, {'r', GUEST_RESET},
		{'o', GUEST_POWER_BUTTON}, {'n', GUEST_NMI}, {'k', GUEST_STOP}};
	struct keyboard keyboard = {0};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check(keyboard_put(&keyboard, 1) == KEYBOARD_NOTHING);
		check(keyboard_put(&keyboard, (uint8_t)rows[i].key) == KEYBOARD_COMMAND);
		check(keyboard.command == rows[i].command);
		check(keyboard_put(&keyboard, (uint8_t)rows[i].key) == KEYBOARD_CHARACTER);
	}
}

static const struct test rows[] = {
	{"user/multiplexer/labels", "each line starts with the label of its console", labels},
	{"user/multiplexer/partial", "a prompt survives the line of another console",
		partial_lines},
	{"user/multiplexer/editing", "line editing shows, and is not drawn twice", editing},
	{"user/multiplexer/escapes", "consoles without the keyboard cannot move the cursor",
		escapes_elsewhere},
	{"user/multiplexer/long", "long lines are complete", long_lines},
	{"user/multiplexer/expansion", "output per character has its limit", expansion},
	{"user/multiplexer/names", "unprintable names cannot reach the terminal", hostile_names},
	{"user/multiplexer/raw", "in the raw view one console has the terminal for itself",
		raw_view},
	{"user/multiplexer/focus", "the console that gets the keyboard shows its line",
		focus_moves},
};

static const struct test keyboard_rows[] = {
	{"user/keyboard/escape", "Ctrl-A starts a command, doubled it is itself", keys},
	{"user/keyboard/guest", "keys after Ctrl-A command the guest", guest_keys},
};

const struct tests multiplexer_tests = {rows, array_count(rows)};
const struct tests keyboard_tests = {keyboard_rows, array_count(keyboard_rows)};
