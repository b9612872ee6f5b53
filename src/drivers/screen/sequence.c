// SPDX-License-Identifier: BSD-2-Clause
// Control sequences of a terminal: what ESC [ begins.
#include <drivers/screen/sequence.h>

#include <base/format.h>
#include <base/memory.h>

#include <drivers/screen/grid.h>

// Modes (VT220 4.6; those from 47 on are xterm's).
enum {
	MODE_INSERT = 4,
	PRIVATE_CURSOR_KEYS = 1,
	PRIVATE_ORIGIN = 6,
	PRIVATE_WRAP = 7,
	PRIVATE_CURSOR = 25,
	PRIVATE_PAGE = 47,
	PRIVATE_PAGE_CLEARED = 1047,
	PRIVATE_PAGE_SAVED = 1049,
};

// Of which 0 is as good as none.
static unsigned parameter(const struct terminal *terminal, unsigned index, unsigned usual) {
	unsigned value = index < terminal->parameter_count ? terminal->parameters[index] : 0;

	return value ? value : usual;
}

// Rows and columns count from 1, or from the top margin.
static void move_to(struct terminal *terminal, unsigned column, unsigned row) {
	int top = terminal->cursor.is_relative ? terminal->top : 0;
	int target = top + (int)row - 1;

	if (terminal->cursor.is_relative && target >= terminal->bottom)
		target = terminal->bottom - 1;
	grid_move(terminal, (int)column - 1, target);
}

// Up and down end at the margins when they begin between them.
static void move_rows(struct terminal *terminal, int by) {
	int row = terminal->cursor.row;
	int low = row >= terminal->top ? terminal->top : 0;
	int high = row < terminal->bottom ? terminal->bottom - 1 : terminal->rows - 1;

	row += by;
	if (row < low) row = low;
	if (row > high) row = high;
	grid_move(terminal, terminal->cursor.column, row);
}

static void move_columns(struct terminal *terminal, int by) {
	grid_move(terminal, terminal->cursor.column + by, terminal->cursor.row);
}

static bool run_move(struct terminal *terminal, uint8_t final) {
	int count = (int)parameter(terminal, 0, 1);

	switch (final) {
	case 'A': move_rows(terminal, -count); break;
	case 'B':
	case 'e': move_rows(terminal, count); break;
	case 'C':
	case 'a': move_columns(terminal, count); break;
	case 'D': move_columns(terminal, -count); break;
	case 'E':
		move_rows(terminal, count);
		terminal->cursor.column = 0;
		break;
	case 'F':
		move_rows(terminal, -count);
		terminal->cursor.column = 0;
		break;
	case 'G':
	case '`': grid_move(terminal, count - 1, terminal->cursor.row); break;
	case 'd': move_to(terminal, terminal->cursor.column + 1u, (unsigned)count); break;
	case 'H':
	case 'f': move_to(terminal, parameter(terminal, 1, 1), (unsigned)count); break;
	default: return false;
	}
	return true;
}

// From the cursor on, up to it, or all.
static void erase_page(struct terminal *terminal) {
	const struct cursor *cursor = &terminal->cursor;

	switch (parameter(terminal, 0, 0)) {
	case 0:
		grid_erase(terminal, cursor->row, cursor->column, terminal->columns);
		grid_erase_rows(terminal, cursor->row + 1u, terminal->rows);
		break;
	case 1:
		grid_erase_rows(terminal, 0, cursor->row);
		grid_erase(terminal, cursor->row, 0, cursor->column + 1u);
		break;
	case 2:
	case 3: grid_erase_rows(terminal, 0, terminal->rows); break;
	default: break;
	}
}

static void erase_line(struct terminal *terminal) {
	const struct cursor *cursor = &terminal->cursor;
	unsigned what = parameter(terminal, 0, 0);

	if (what > 2) return;
	grid_erase(terminal, cursor->row, what == 0 ? cursor->column : 0,
		what == 1 ? cursor->column + 1u : terminal->columns);
}

static void shift_lines(struct terminal *terminal, uint8_t final) {
	struct cursor *cursor = &terminal->cursor;

	if (cursor->row < terminal->top || cursor->row >= terminal->bottom) return;
	if (final == 'L')
		grid_scroll_down(terminal, cursor->row, parameter(terminal, 0, 1));
	else
		grid_scroll_up(terminal, cursor->row, parameter(terminal, 0, 1));
	cursor->column = 0;
	cursor->is_behind = false;
}

// Programs fill a line by it; more would be much work for few bytes.
static void repeat(struct terminal *terminal) {
	unsigned count = parameter(terminal, 0, 1);

	if (!terminal->last) return;
	for (unsigned i = 0; i < count && i < terminal->columns; i++)
		grid_write(terminal, terminal->last);
}

static bool run_edit(struct terminal *terminal, uint8_t final) {
	const struct cursor *cursor = &terminal->cursor;
	unsigned count = parameter(terminal, 0, 1);

	switch (final) {
	case 'J': erase_page(terminal); break;
	case 'K': erase_line(terminal); break;
	case 'X': grid_erase(terminal, cursor->row, cursor->column, cursor->column + count); break;
	case 'L':
	case 'M': shift_lines(terminal, final); break;
	case '@': grid_insert(terminal, count); break;
	case 'P': grid_delete(terminal, count); break;
	case 'S': grid_scroll_up(terminal, terminal->top, count); break;
	case 'T': grid_scroll_down(terminal, terminal->top, count); break;
	case 'b': repeat(terminal); break;
	default: return false;
	}
	return true;
}

static void set_margins(struct terminal *terminal) {
	unsigned top = parameter(terminal, 0, 1), bottom = parameter(terminal, 1, terminal->rows);

	if (bottom > terminal->rows) bottom = terminal->rows;
	if (top >= bottom) return;
	terminal->top = (uint16_t)(top - 1);
	terminal->bottom = (uint16_t)bottom;
	move_to(terminal, 1, 1);
}

static void set_private(struct terminal *terminal, unsigned mode, bool is_on) {
	switch (mode) {
	case PRIVATE_CURSOR_KEYS: terminal->has_cursor_keys = is_on; break;
	case PRIVATE_ORIGIN:
		terminal->cursor.is_relative = is_on;
		move_to(terminal, 1, 1);
		break;
	case PRIVATE_WRAP: terminal->wraps = is_on; break;
	case PRIVATE_CURSOR: terminal->is_hidden = !is_on; break;
	case PRIVATE_PAGE:
	case PRIVATE_PAGE_CLEARED:
	case PRIVATE_PAGE_SAVED: grid_choose_page(terminal, is_on); break;
	default: break;
	}
}

static void set_modes(struct terminal *terminal, bool is_on) {
	for (unsigned i = 0; i < terminal->parameter_count; i++) {
		if (terminal->mark == '?')
			set_private(terminal, terminal->parameters[i], is_on);
		else if (terminal->parameters[i] == MODE_INSERT)
			terminal->inserts = is_on;
	}
}

static void answer(struct terminal *terminal, const char *text) {
	unsigned length = 0;

	while (text[length])
		length++;
	if (terminal->answer_length + length > TERMINAL_ANSWER) return;
	memcpy(terminal->answer + terminal->answer_length, text, length);
	terminal->answer_length += length;
}

// Whether it works, and where the cursor is (ECMA-48 8.3.35).
static void report(struct terminal *terminal) {
	const struct cursor *cursor = &terminal->cursor;
	unsigned top = cursor->is_relative ? terminal->top : 0;
	char text[TERMINAL_ANSWER];

	if (parameter(terminal, 0, 0) == 5) answer(terminal, "\x1b[0n");
	if (parameter(terminal, 0, 0) != 6) return;
	(void)format_text(
		text, sizeof(text), "\x1b[%u;%uR", cursor->row - top + 1, cursor->column + 1u);
	answer(terminal, text);
}

void sequence_run(struct terminal *terminal, uint8_t final) {
	if (terminal->is_other) return;
	if (terminal->mark) {
		if (terminal->mark == '?' && (final == 'h' || final == 'l'))
			set_modes(terminal, final == 'h');
		return;
	}
	if (run_move(terminal, final) || run_edit(terminal, final)) return;
	switch (final) {
	case 'm':
		style_set(&terminal->cursor.pen, terminal->parameters, terminal->parameter_count);
		break;
	case 'r': set_margins(terminal); break;
	case 's': terminal->saved = terminal->cursor; break;
	case 'u': terminal->cursor = terminal->saved; break;
	case 'h':
	case 'l': set_modes(terminal, final == 'h'); break;
	case 'n': report(terminal); break;
	// A VT102.
	case 'c': answer(terminal, "\x1b[?6c"); break;
	default: break;
	}
}
