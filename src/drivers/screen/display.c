// SPDX-License-Identifier: BSD-2-Clause
// Draws a terminal on the screen, cell by cell where it has changed: to read the screen's memory is
// slow, and to write it is not fast.
#include <drivers/screen/display.h>

#include <base/memory.h>

enum { CHANNEL_MOST = 0xff };

// Those of the VGA: 16 colours of red, green and blue.
static const uint8_t palette[DISPLAY_COLOURS][3] = {
	{0x00, 0x00, 0x00},
	{0x00, 0x00, 0xaa},
	{0x00, 0xaa, 0x00},
	{0x00, 0xaa, 0xaa},
	{0xaa, 0x00, 0x00},
	{0xaa, 0x00, 0xaa},
	{0xaa, 0x55, 0x00},
	{0xaa, 0xaa, 0xaa},
	{0x55, 0x55, 0x55},
	{0x55, 0x55, 0xff},
	{0x55, 0xff, 0x55},
	{0x55, 0xff, 0xff},
	{0xff, 0x55, 0x55},
	{0xff, 0x55, 0xff},
	{0xff, 0xff, 0x55},
	{0xff, 0xff, 0xff},
};

// A point has a field of any size for each channel.
static uint32_t point_of(const struct screen *screen, const uint8_t channels[3]) {
	uint32_t point = 0;

	for (unsigned i = 0; i < 3; i++) {
		uint64_t full = (1ul << screen->fields[2 * i + 1]) - 1;

		point |= (uint32_t)(channels[i] * full / CHANNEL_MOST << screen->fields[2 * i]);
	}
	return point;
}

static void draw(struct display *display, unsigned column, unsigned row, const struct cell *cell) {
	struct screen *screen = &display->screen;

	screen->ink = display->colours[cell->attribute & 0xf];
	screen->paper = display->colours[cell->attribute >> 4];
	screen->attribute = cell->attribute;
	screen_draw(screen, column, row, cell->code);
}

static uint16_t smaller(unsigned a, unsigned b) { return (uint16_t)(a < b ? a : b); }

bool display_open(struct display *display, const uint8_t info[SCREEN_INFO], uint8_t *memory) {
	struct screen *screen = &display->screen;
	static const struct cell empty = {' ', TERMINAL_PLAIN};

	if (!memory || !screen_read(screen, info)) return false;
	screen->memory = memory;
	display->terminal = NULL;
	display->cursor_row = 0;
	display->columns = smaller(screen->columns, TERMINAL_COLUMNS);
	display->rows = smaller(screen->rows, TERMINAL_ROWS);
	for (unsigned i = 0; i < DISPLAY_COLOURS && !screen->is_text; i++)
		display->colours[i] = point_of(screen, palette[i]);
	if (!screen->is_text) memset(memory, 0, screen->size);
	for (unsigned row = 0; row < display->rows; row++) {
		for (unsigned column = 0; column < display->columns; column++) {
			display->shown[row][column] = empty;
			if (screen->is_text) draw(display, column, row, &empty);
		}
	}
	return true;
}

// The cursor is a cell with ink and paper exchanged.
static struct cell wanted(const struct terminal *terminal, unsigned column, unsigned row) {
	struct cell cell = terminal->cells[row][column];

	if (!terminal->is_hidden && row == terminal->cursor.row &&
		column == terminal->cursor.column)
		cell.attribute = (uint8_t)((cell.attribute & 7) << 4 | cell.attribute >> 4);
	return cell;
}

static void show_row(struct display *display, const struct terminal *terminal, unsigned row) {
	for (unsigned column = 0; column < display->columns; column++) {
		struct cell cell = wanted(terminal, column, row);
		struct cell *shown = &display->shown[row][column];

		if (cell.code == shown->code && cell.attribute == shown->attribute) continue;
		draw(display, column, row, &cell);
		*shown = cell;
	}
}

// A program's line costs the rows that it changes, and those that the cursor leaves and enters.
void display_show(struct display *display, struct terminal *terminal) {
	unsigned rows = smaller(display->rows, terminal->rows);
	bool is_other = terminal != display->terminal;
	unsigned first = is_other ? 0 : terminal->changed;
	unsigned end = is_other ? rows : smaller(terminal->changed_end, rows);

	for (unsigned row = first; row < end; row++)
		show_row(display, terminal, row);
	if (display->cursor_row < rows) show_row(display, terminal, display->cursor_row);
	if (terminal->cursor.row < rows) show_row(display, terminal, terminal->cursor.row);
	display->terminal = terminal;
	display->cursor_row = terminal->cursor.row;
	terminal->changed = UINT16_MAX;
	terminal->changed_end = 0;
}
