// SPDX-License-Identifier: BSD-2-Clause
// A terminal on the screen's memory, and the link between the screen and the serial driver.
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <drivers/screen/display.h>
#include <drivers/serial/mirror.h>
#include <drivers/serial/questions.h>

enum { WIDTH = 85, HEIGHT = 50, PITCH = WIDTH * 4 + 12, GUARD = 64 };
enum { TYPE_RGB = 1, TYPE_TEXT = 2 };

static uint8_t memory[PITCH * HEIGHT + GUARD];
static uint8_t info[SCREEN_INFO];
static struct display display;
static struct terminal terminal, other;

static void put(unsigned place, uint64_t value, unsigned size) {
	memcpy(info + place, &value, size);
}

static void describe(uint32_t pitch, uint32_t width, uint32_t height, uint8_t bits, uint8_t type) {
	static const uint8_t fields[] = {16, 8, 8, 8, 0, 8};

	put(0, 0xfd000000, 8);
	put(8, pitch, 4);
	put(12, width, 4);
	put(16, height, 4);
	info[20] = bits;
	info[21] = type;
	memcpy(info + 24, fields, sizeof(fields));
}

static void write(const char *text) {
	while (*text)
		terminal_put(&terminal, (uint8_t)*text++);
}

static uint32_t point(unsigned x, unsigned y) {
	uint32_t value;

	memcpy(&value, memory + y * PITCH + x * 4, sizeof(value));
	return value;
}

// Whether a cell has this character in these colours.
static bool cell_is(unsigned column, unsigned row, char code, uint32_t ink, uint32_t paper) {
	for (unsigned i = 0; i < GLYPH_HEIGHT * GLYPH_WIDTH; i++) {
		bool is_ink = screen_font[(uint8_t)code][i / GLYPH_WIDTH] >>
				(GLYPH_WIDTH - 1 - i % GLYPH_WIDTH) &
			1;
		uint32_t found = point(column * GLYPH_WIDTH + i % GLYPH_WIDTH,
			row * GLYPH_HEIGHT + i / GLYPH_WIDTH);

		if (found != (is_ink ? ink : paper)) return false;
	}
	return true;
}

static bool guard_is_whole(size_t size) {
	for (size_t i = size; i < sizeof(memory); i++)
		if (memory[i] != 0xa5) return false;
	return true;
}

static void points(void) {
	memset(memory, 0xa5, sizeof(memory));
	describe(PITCH, WIDTH, HEIGHT, 32, TYPE_RGB);
	check(display_open(&display, info, memory) && display.columns == 10 && display.rows == 3);
	terminal_init(&terminal, display.columns, display.rows);
	write("a\x1b[31;44mb\x1b[m\r\n\x1b[1mz");
	display_show(&display, &terminal);
	check(cell_is(0, 0, 'a', 0xaaaaaa, 0) && cell_is(1, 0, 'b', 0xaa0000, 0x0000aa));
	check(cell_is(0, 1, 'z', 0xffffff, 0) && cell_is(1, 1, ' ', 0, 0xaaaaaa));
	check(guard_is_whole(PITCH * HEIGHT));
	// Only what has changed is drawn, and the cursor moves on.
	memset(memory, 0, PITCH * GLYPH_HEIGHT);
	write("y\x1b[?25l");
	display_show(&display, &terminal);
	check(cell_is(0, 0, ' ', 0, 0) && cell_is(1, 1, 'y', 0xffffff, 0));
	check(cell_is(2, 1, ' ', 0, 0));
	// Other rows are not even looked at; another terminal is, all of it.
	display.shown[0][0].code = 'q';
	write("x");
	display_show(&display, &terminal);
	check(cell_is(0, 0, ' ', 0, 0) && cell_is(2, 1, 'x', 0xffffff, 0));
	terminal_init(&other, display.columns, display.rows);
	display_show(&display, &other);
	display_show(&display, &terminal);
	check(cell_is(0, 0, 'a', 0xaaaaaa, 0) && cell_is(2, 1, 'x', 0xffffff, 0));
}

static void characters(void) {
	memset(memory, 0xa5, sizeof(memory));
	describe(160, 80, 25, 16, TYPE_TEXT);
	check(display_open(&display, info, memory) && display.columns == 80 && display.rows == 25);
	check(memory[0] == ' ' && memory[1] == 7 && memory[3998] == ' ' && guard_is_whole(4000));
	terminal_init(&terminal, display.columns, display.rows);
	write("a\x1b[31;44mb");
	display_show(&display, &terminal);
	check(memory[0] == 'a' && memory[1] == 0x07 && memory[2] == 'b' && memory[3] == 0x14);
	check(memory[5] == 0x70);
}

static void refused(void) {
	describe(PITCH, WIDTH, HEIGHT, 32, TYPE_RGB);
	check(!display_open(&display, info, NULL));
	describe(PITCH, 7, HEIGHT, 32, TYPE_RGB);
	check(!display_open(&display, info, memory));
	describe(PITCH, WIDTH, HEIGHT, 32, 0);
	check(!display_open(&display, info, memory));
}

static struct screen_link screen_link;
static struct mirror mirror;
static struct screen_end screen_end;

static void link_begin(void) {
	memset(&screen_link, 0, sizeof(screen_link));
	mirror_open(&mirror, &screen_link);
	check(screen_serve(&screen_end, &screen_link));
}

static void type(unsigned place, uint8_t byte) {
	struct screen_item item = {(uint8_t)place, byte};

	check(ring_put(&screen_end.out, &item));
}

static bool gets(unsigned place, uint8_t byte) {
	unsigned from;
	uint8_t got;

	return mirror_get(&mirror, &from, &got) && from == place && got == byte;
}

static void link_rows(void) {
	struct screen_item item;
	unsigned from;
	uint8_t got;

	link_begin();
	mirror_put(&mirror, 3, 'x');
	check(mirror_must_notify(&mirror) && ring_get(&screen_end.in, &item));
	// With nothing more to take, both would wake each other for ever.
	check(ring_may_sleep(&screen_end.in) && !mirror_must_notify(&mirror));
	check(item.place == 3 && item.byte == 'x' && !ring_get(&screen_end.in, &item));
	type(2, 'k');
	check(gets(2, 'k') && mirror.typist == 2 && !mirror_get(&mirror, &from, &got));
	// Of the terminals that were asked, the one where the key was pressed answers.
	type(0 | SCREEN_ANSWER, 'a');
	type(2 | SCREEN_ANSWER, 'b');
	type(77, 'c');
	check(gets(2, 'b') && !mirror_get(&mirror, &from, &got));
	mirror.typist = MIRROR_SERIAL;
	type(2 | SCREEN_ANSWER, 'd');
	check(!mirror_get(&mirror, &from, &got));
	// Without a screen.
	mirror_open(&mirror, NULL);
	mirror_put(&mirror, 0, 'x');
	check(!mirror_get(&mirror, &from, &got) && !mirror_must_notify(&mirror));
}

static void lost(void) {
	struct screen_item item;
	char text[128] = "";
	unsigned length = 0;

	link_begin();
	for (unsigned i = 0; i < SCREEN_OUT_ITEMS + 5; i++)
		mirror_put(&mirror, 0, 'x');
	for (unsigned i = 0; i < SCREEN_OUT_ITEMS; i++)
		check(ring_get(&screen_end.in, &item) && item.byte == 'x');
	mirror_put(&mirror, 1, 'o');
	check(ring_get(&screen_end.in, &item) && item.place == 1 && item.byte == 'o');
	mirror_put(&mirror, 0, 'y');
	while (ring_get(&screen_end.in, &item) && length < sizeof(text) - 1)
		text[length++] = (char)item.byte;
	check(!strcmp(text, "\r\n[5 characters are missing here]\r\ny"));
}

static bool passes(const char *in, const char *out, bool takes_out) {
	struct questions questions = {.length = 0};
	uint8_t sent[QUESTION_LENGTH];
	char all[128] = "";
	size_t length = 0;

	for (; *in; in++) {
		unsigned count = questions_put(&questions, (uint8_t)*in, takes_out, sent);

		memcpy(all + length, sent, count);
		length += count;
	}
	return length == strlen(out) && !memcmp(all, out, length);
}

static void questions_rows(void) {
	const char *long_one = "\x1b[1;2;3;4;5;6;7;8;9;10;11;12mz";

	check(passes("a\x1b[6nb\x1b[c\x1b[5nc", "a\x1b[6nb\x1b[c\x1b[5nc", false));
	check(passes("a\x1b[6nb\x1b[c\x1b[5nc", "abc", true));
	check(passes("\x1b[31mred\x1b"
		     "7x\x1b[2\rc",
		"\x1b[31mred\x1b"
		"7x\x1b[2\rc",
		true));
	check(passes(long_one, long_one, true));
}

static const struct test rows[] = {
	{"user/display/points", "cells are drawn in their colours, where they change", points},
	{"user/display/text", "text mode has the cells as they are", characters},
	{"user/display/refused", "a screen that cannot be is none", refused},
	{"user/display/link", "keys and answers count by where they come from", link_rows},
	{"user/display/lost", "what finds no room is counted", lost},
	{"user/display/questions", "one of two terminals is asked", questions_rows},
};

const struct tests display_tests = {rows, array_count(rows)};
