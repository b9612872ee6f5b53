// SPDX-License-Identifier: BSD-2-Clause
// Feeds the screen's terminal with whatever a program may write, draws it, and looks at what must
// hold of it.
#include "fuzz.h"

#include <drivers/screen/display.h>

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 90, HEIGHT = 100, PITCH = WIDTH * 4, TYPE_RGB = 1, HEAD = 2 };

static struct terminal terminal;
static struct display display;
static uint8_t memory[PITCH * HEIGHT];

static void must(bool holds) {
	if (!holds) abort();
}

static void describe(uint8_t info[SCREEN_INFO]) {
	static const uint8_t fields[] = {16, 8, 8, 8, 0, 8};
	const uint32_t sizes[] = {PITCH, WIDTH, HEIGHT};

	memset(info, 0, SCREEN_INFO);
	memcpy(info + 8, sizes, sizeof(sizes));
	info[20] = 32;
	info[21] = TYPE_RGB;
	memcpy(info + 24, fields, sizeof(fields));
}

// Cells beyond the terminal's size are never written.
static void check(void) {
	must(terminal.cursor.column < terminal.columns && terminal.cursor.row < terminal.rows);
	must(terminal.top < terminal.bottom && terminal.bottom <= terminal.rows);
	must(terminal.answer_length <= TERMINAL_ANSWER);
	must(terminal.parameter_count <= TERMINAL_PARAMETERS);
	for (unsigned row = 0; row < terminal.rows; row++) {
		must(terminal.cells[row][terminal.columns].code == 0);
		for (unsigned column = 0; column < terminal.columns; column++)
			must(terminal.cells[row][column].code >= ' ' &&
				terminal.cells[row][column].code < GLYPHS);
	}
	must(terminal.cells[terminal.rows][0].code == 0);
}

// As if all of the terminal had been looked at; the cursor's cell has its colours exchanged.
static void show(void) {
	const struct cursor *cursor = &terminal.cursor;

	if (terminal.columns < display.columns) return;
	display_show(&display, &terminal);
	for (unsigned row = 0; row < display.rows && row < terminal.rows; row++) {
		for (unsigned column = 0; column < display.columns; column++) {
			struct cell cell = terminal.cells[row][column];
			struct cell shown = display.shown[row][column];

			must(cell.code == shown.code);
			must(cell.attribute == shown.attribute ||
				(row == cursor->row && column == cursor->column));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
	uint8_t info[SCREEN_INFO];

	if (size <= HEAD) return 0;
	describe(info);
	must(display_open(&display, info, memory));
	memset(&terminal, 0, sizeof(terminal));
	terminal_init(&terminal, 1 + bytes[0] % 20u, 1 + bytes[1] % 10u);
	for (size_t i = HEAD; i < size; i++) {
		terminal_put(&terminal, bytes[i]);
		if (bytes[i] != '\n') continue;
		terminal.answer_length = 0;
		show();
	}
	check();
	if (terminal.columns < display.columns) terminal_init(&terminal, 80, 25);
	show();
	return 0;
}
