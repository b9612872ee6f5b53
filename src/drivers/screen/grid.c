// SPDX-License-Identifier: BSD-2-Clause
// A terminal's cells and cursor.
#include <drivers/screen/grid.h>

#include <base/memory.h>

static uint8_t attribute_of(const struct pen *pen) {
	uint8_t ink = pen->ink | (pen->is_bright ? 8 : 0);

	if (pen->is_reverse) return (uint8_t)((ink & 7) << 4 | pen->paper);
	return (uint8_t)(pen->paper << 4 | ink);
}

// What is erased has the paper of the pen, as Linux's console has it.
static struct cell empty_cell(const struct terminal *terminal) {
	return (struct cell){' ', (uint8_t)(terminal->cursor.pen.paper << 4 | TERMINAL_PLAIN)};
}

static void mark(struct terminal *terminal, unsigned first, unsigned end) {
	if (first < terminal->changed) terminal->changed = (uint16_t)first;
	if (end > terminal->changed_end) terminal->changed_end = (uint16_t)end;
}

void grid_erase(struct terminal *terminal, unsigned row, unsigned first, unsigned end) {
	struct cell empty = empty_cell(terminal);

	mark(terminal, row, row + 1);
	if (end > terminal->columns) end = terminal->columns;
	for (unsigned column = first; column < end; column++)
		terminal->cells[row][column] = empty;
}

void grid_erase_rows(struct terminal *terminal, unsigned first, unsigned end) {
	for (unsigned row = first; row < end && row < terminal->rows; row++)
		grid_erase(terminal, row, 0, terminal->columns);
}

void grid_scroll_up(struct terminal *terminal, unsigned top, unsigned count) {
	unsigned rows = terminal->bottom - top;

	if (count > rows) count = rows;
	memmove(terminal->cells[top], terminal->cells[top + count],
		(rows - count) * sizeof(terminal->cells[0]));
	mark(terminal, top, terminal->bottom);
	grid_erase_rows(terminal, terminal->bottom - count, terminal->bottom);
}

void grid_scroll_down(struct terminal *terminal, unsigned top, unsigned count) {
	unsigned rows = terminal->bottom - top;

	if (count > rows) count = rows;
	memmove(terminal->cells[top + count], terminal->cells[top],
		(rows - count) * sizeof(terminal->cells[0]));
	mark(terminal, top, terminal->bottom);
	grid_erase_rows(terminal, top, top + count);
}

void grid_insert(struct terminal *terminal, unsigned count) {
	unsigned column = terminal->cursor.column;
	unsigned left = terminal->columns - column;
	struct cell *row = terminal->cells[terminal->cursor.row];

	if (count > left) count = left;
	memmove(row + column + count, row + column, (left - count) * sizeof(*row));
	grid_erase(terminal, terminal->cursor.row, column, column + count);
}

void grid_delete(struct terminal *terminal, unsigned count) {
	unsigned column = terminal->cursor.column;
	unsigned left = terminal->columns - column;
	struct cell *row = terminal->cells[terminal->cursor.row];

	if (count > left) count = left;
	memmove(row + column, row + column + count, (left - count) * sizeof(*row));
	grid_erase(terminal, terminal->cursor.row, terminal->columns - count, terminal->columns);
}

static int cut(int value, int low, int high) {
	if (value < low) return low;
	return value > high ? high : value;
}

void grid_move(struct terminal *terminal, int column, int row) {
	terminal->cursor.column = (uint16_t)cut(column, 0, terminal->columns - 1);
	terminal->cursor.row = (uint16_t)cut(row, 0, terminal->rows - 1);
	terminal->cursor.is_behind = false;
}

void grid_line_feed(struct terminal *terminal) {
	terminal->cursor.is_behind = false;
	if (terminal->cursor.row + 1 == terminal->bottom)
		grid_scroll_up(terminal, terminal->top, 1);
	else if (terminal->cursor.row + 1 < terminal->rows)
		terminal->cursor.row++;
}

void grid_reverse_feed(struct terminal *terminal) {
	terminal->cursor.is_behind = false;
	if (terminal->cursor.row == terminal->top)
		grid_scroll_down(terminal, terminal->top, 1);
	else if (terminal->cursor.row > 0)
		terminal->cursor.row--;
}

void grid_write(struct terminal *terminal, uint8_t code) {
	struct cursor *cursor = &terminal->cursor;

	if (cursor->is_behind) {
		cursor->column = 0;
		grid_line_feed(terminal);
	}
	if (terminal->inserts) grid_insert(terminal, 1);
	terminal->cells[cursor->row][cursor->column] = (struct cell){
		code, attribute_of(&cursor->pen)};
	mark(terminal, cursor->row, cursor->row + 1u);
	if (cursor->column + 1 < terminal->columns)
		cursor->column++;
	else
		cursor->is_behind = terminal->wraps;
	terminal->last = code;
}

void grid_choose_page(struct terminal *terminal, bool is_alternate) {
	if (is_alternate == terminal->is_alternate) return;
	terminal->is_alternate = is_alternate;
	if (is_alternate) {
		memcpy(terminal->kept, terminal->cells, sizeof(terminal->cells));
		terminal->outside = terminal->cursor;
		grid_erase_rows(terminal, 0, terminal->rows);
	} else {
		memcpy(terminal->cells, terminal->kept, sizeof(terminal->cells));
		terminal->cursor = terminal->outside;
		mark(terminal, 0, terminal->rows);
	}
}
