// SPDX-License-Identifier: BSD-2-Clause
// The screen on memory of the host: each layout is read back as a person would see it.
#include "test.h"

#include <base/compiler.h>
#include <base/screen.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 33, HEIGHT = 50, GUARD = 64, DAMAGES = 200000, ROOM = 1 << 16 };
enum { TYPE_INDEXED, TYPE_RGB, TYPE_TEXT };

// Position and size of red, green and blue.
struct layout {
	uint8_t bits, fields[6];
};

static const struct layout layouts[] = {
	{32, {16, 8, 8, 8, 0, 8}},
	{32, {20, 10, 10, 10, 0, 10}}, // 30 bits
	{32, {0, 8, 8, 8, 16, 8}},
	{24, {16, 8, 8, 8, 0, 8}},
	{16, {11, 5, 5, 6, 0, 5}},
	{15, {10, 5, 5, 5, 0, 5}},
	{8, {5, 3, 2, 3, 0, 2}},
	{32, {24, 8, 16, 8, 8, 8}},
};

static uint8_t memory[ROOM + GUARD];
static uint8_t info[SCREEN_INFO];
static struct screen screen;

static void put(unsigned place, uint64_t value, unsigned size) {
	memcpy(info + place, &value, size);
}

static void describe(uint32_t pitch, uint32_t width, uint32_t height, uint8_t type,
	const struct layout *layout) {
	put(0, 0xfd000000, 8);
	put(8, pitch, 4);
	put(12, width, 4);
	put(16, height, 4);
	info[20] = layout->bits;
	info[21] = type;
	memcpy(info + 24, layout->fields, sizeof(layout->fields));
}

static bool is_read(void) { return screen_read(&screen, info); }

static void show(void) {
	memset(memory, 0xa5, sizeof(memory));
	check(is_read() && screen.size <= ROOM);
	screen_show(&screen, memory);
}

static void type(const char *text) {
	while (*text)
		screen_put(&screen, *text++);
}

// Black and white only; 2: neither.
static unsigned point_at(const struct layout *layout, unsigned x, unsigned y) {
	unsigned bytes = (layout->bits + 7u) / 8, full = 0;
	uint32_t value = 0;

	memcpy(&value, memory + y * screen.pitch + x * bytes, bytes);
	for (unsigned i = 0; i < 3; i++)
		full |= (uint32_t)((1ul << layout->fields[2 * i + 1]) - 1) << layout->fields[2 * i];
	return value == 0 ? 0 : value == full ? 1 : 2;
}

// The character whose points these are, or 0.
static char character_at(const struct layout *layout, unsigned column, unsigned row) {
	for (unsigned code = ' '; code <= '~'; code++) {
		bool is_same = true;

		for (unsigned i = 0; i < GLYPH_HEIGHT * GLYPH_WIDTH; i++)
			is_same &= point_at(layout, column * GLYPH_WIDTH + i % GLYPH_WIDTH,
					   row * GLYPH_HEIGHT + i / GLYPH_WIDTH) ==
				(screen_font[code][i / GLYPH_WIDTH] >> (7 - i % GLYPH_WIDTH) & 1u);
		if (is_same) return (char)code;
	}
	return 0;
}

static bool shows(const struct layout *layout, unsigned row, const char *text) {
	for (unsigned column = 0; column < screen.columns; column++)
		if (character_at(layout, column, row) != (*text ? *text++ : ' ')) return false;
	return true;
}

static bool guard_is_whole(void) {
	for (size_t i = screen.size; i < sizeof(memory); i++)
		if (memory[i] != 0xa5) return false;
	return true;
}

static void screen_layouts(void) {
	for (unsigned i = 0; i < array_count(layouts); i++) {
		unsigned bytes = (layouts[i].bits + 7u) / 8;

		for (unsigned odd = 0; odd < 4; odd++) {
			describe(WIDTH * bytes + odd, WIDTH, HEIGHT, TYPE_RGB, &layouts[i]);
			show();
			check(screen.columns == 4 && screen.rows == 3);
			type("ab\n~\x01\xff");
			check(shows(&layouts[i], 0, "ab") && shows(&layouts[i], 1, "~\?\?"));
			check(shows(&layouts[i], 2, "") && guard_is_whole());
		}
	}
}

// Of three rows two hold text.
static void screen_goes_on(void) {
	describe(WIDTH * 4, WIDTH, HEIGHT, TYPE_RGB, &layouts[0]);
	show();
	type("1234"
	     "5\r\n3\n");
	check(shows(&layouts[0], 0, "") && shows(&layouts[0], 1, "") && shows(&layouts[0], 2, "3"));
	type("4");
	check(shows(&layouts[0], 0, "4") && guard_is_whole());
	for (unsigned i = 0; i < 1000; i++)
		type(i % 7 ? "x" : "\n");
	check(guard_is_whole());
}

static void screen_text(void) {
	describe(160, 80, 25, TYPE_TEXT, &(struct layout){.bits = 16});
	show();
	check(screen.columns == 80 && screen.rows == 25 && screen.size == 4000);
	type("A\nb");
	check(memory[0] == 'A' && memory[1] == 7 && memory[160] == 'b' && memory[162] == ' ');
	for (unsigned i = 0; i < 10000; i++)
		type(i % 100 ? "x" : "\n");
	check(guard_is_whole());
}

static bool is_refused(uint32_t pitch, uint32_t width, uint32_t height, uint8_t kind,
	const struct layout *layout) {
	describe(pitch, width, height, kind, layout);
	return !is_read() && screen.size == 0;
}

static void screen_refused(void) {
	const struct layout *layout = &layouts[0];

	describe(WIDTH * 4, WIDTH, HEIGHT, TYPE_RGB, layout);
	check(is_read());
	check(is_refused(WIDTH * 4 - 1, WIDTH, HEIGHT, TYPE_RGB, layout));
	check(is_refused(WIDTH * 4, WIDTH, HEIGHT, TYPE_INDEXED, layout));
	check(is_refused(WIDTH * 4, WIDTH, HEIGHT, 3, layout));
	check(is_refused(WIDTH * 4, 7, HEIGHT, TYPE_RGB, layout));
	check(is_refused(WIDTH * 4, WIDTH, 31, TYPE_RGB, layout));
	check(is_refused(0xffffffff, 0x3fffffff, HEIGHT, TYPE_RGB, layout));
	check(is_refused(0xffffffff, WIDTH, HEIGHT, TYPE_RGB, layout));
	check(is_refused(WIDTH * 4, WIDTH, 0xffffffff, TYPE_RGB, layout));
	check(is_refused(160, 80, 1, TYPE_TEXT, layout));
	check(is_refused(159, 80, 25, TYPE_TEXT, layout));
	check(is_refused(1024, WIDTH, HEIGHT, TYPE_RGB, &(struct layout){64, {0, 8, 8, 8, 16, 8}}));
	check(is_refused(1024, WIDTH, HEIGHT, TYPE_RGB, &(struct layout){32, {25, 8, 8, 8, 0, 8}}));
	check(is_refused(1024, WIDTH, HEIGHT, TYPE_RGB, &(struct layout){32, {16, 8, 8, 0, 0, 8}}));
	check(is_refused(1024, WIDTH, HEIGHT, TYPE_RGB, &(struct layout){0, {0, 0, 0, 0, 0, 0}}));
	screen_put(&screen, 'x'); // no memory: nothing happens
}

// What passes writes its own memory only.
static void screen_damaged(void) {
	for (unsigned i = 0; i < DAMAGES; i++) {
		describe(WIDTH * 4, WIDTH, HEIGHT, i % 2 ? TYPE_RGB : TYPE_TEXT, &layouts[i % 8]);
		for (int flips = 1 + rand() % 3; flips > 0; flips--)
			info[8 + rand() % (SCREEN_INFO - 8)] = (uint8_t)rand();
		if (!is_read() || screen.size > ROOM) continue;
		memset(memory + screen.size, 0xa5, sizeof(memory) - screen.size);
		screen_show(&screen, memory);
		for (unsigned row = 0; row < screen.rows && row < 8; row++)
			type("\nx");
		screen.column = screen.columns - 1;
		screen.row = screen.rows - 1;
		type("abc");
		check(guard_is_whole());
	}
}

static const struct test rows[] = {
	{"screen_layouts", "points of any bytes, fields and pitch show characters", screen_layouts},
	{"screen_goes_on", "below the last row text goes on in the first, after an empty one",
		screen_goes_on},
	{"screen_text", "text mode shows characters", screen_text},
	{"screen_refused", "a screen that cannot be is none", screen_refused},
	{"screen_damaged", "whatever the loader says, nothing else is written", screen_damaged},
};

const struct tests screen_tests = {rows, array_count(rows)};
