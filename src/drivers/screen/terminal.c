// SPDX-License-Identifier: BSD-2-Clause
// Reads what a program writes: text, control characters, and where sequences begin and end.
#include <drivers/screen/terminal.h>

#include <base/compiler.h>
#include <base/memory.h>

#include <drivers/screen/grid.h>
#include <drivers/screen/sequence.h>

enum {
	BELL = 0x07,
	BACKSPACE = 0x08,
	TAB = 0x09,
	LINE_FEED = 0x0a,
	FORM_FEED = 0x0c,
	RETURN = 0x0d,
	SHIFT_OUT = 0x0e,
	SHIFT_IN = 0x0f,
	CANCEL = 0x18,
	SUBSTITUTE = 0x1a,
	ESCAPE = 0x1b,
	DELETE = 0x7f,
	TAB_STEP = 8,
	PARAMETER_MOST = 9999,
	UNKNOWN = '?',
	SET_LINES = '0', // DEC's special graphics
};

// Of characters that the font lacks, what comes near.
static const struct {
	uint32_t first, last;
	uint8_t code; // 0: takes no place
} substitutes[] = {
	{0xa0, 0xa0, ' '},
	{0xb7, 0xb7, '.'},
	{0x300, 0x36f, 0},
	{0x200b, 0x200f, 0},
	{0x2010, 0x2015, '-'},
	{0x2018, 0x201b, '\''},
	{0x201c, 0x201f, '"'},
	{0x2022, 0x2022, '*'},
	{0x2026, 0x2026, '.'},
	{0x2190, 0x2190, '<'},
	{0x2192, 0x2192, '>'},
	{0x2212, 0x2212, '-'},
	{0x2500, 0x2501, '-'},
	{0x2502, 0x2503, '|'},
	{0x250c, 0x254b, '+'},
	{0x2550, 0x2550, '='},
	{0x2551, 0x2551, '|'},
	{0x2552, 0x256c, '+'},
	{0x2580, 0x259f, '#'},
	{0x25cf, 0x25cf, '*'},
	{0xfe00, 0xfe0f, 0},
};

// DEC's special graphics from ` on, in ASCII.
static const uint8_t lines[] = "*#????o+??+++++-----++++|<>~=#.";

_Static_assert(sizeof(lines) == '~' - '`' + 2);

static void write_point(struct terminal *terminal, uint32_t point) {
	for (unsigned i = 0; i < array_count(substitutes); i++) {
		if (point < substitutes[i].first || point > substitutes[i].last) continue;
		if (substitutes[i].code) grid_write(terminal, substitutes[i].code);
		return;
	}
	grid_write(terminal, UNKNOWN);
}

// A character by its bytes: as UTF-8 has it. What is none becomes one character, too.
static void text(struct terminal *terminal, uint8_t byte) {
	const struct cursor *cursor = &terminal->cursor;

	if (byte < 0x80) {
		terminal->point_rest = 0;
		if (cursor->sets[cursor->shifted] == SET_LINES && byte >= '`')
			byte = lines[byte - '`'];
		grid_write(terminal, byte);
	} else if (byte < 0xc0) {
		if (!terminal->point_rest) return;
		terminal->point = terminal->point << 6 | (byte & 0x3f);
		if (--terminal->point_rest == 0) write_point(terminal, terminal->point);
	} else {
		terminal->point_rest = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
		terminal->point = byte & (0x3fu >> terminal->point_rest);
	}
}

static void reset(struct terminal *terminal) {
	terminal->top = 0;
	terminal->bottom = terminal->rows;
	terminal->cursor = (struct cursor){.pen = style_plain(), .sets = {'B', SET_LINES}};
	terminal->saved = terminal->cursor;
	terminal->inserts = terminal->is_hidden = terminal->has_cursor_keys = false;
	terminal->wraps = true;
	terminal->is_alternate = false;
	terminal->state = TERMINAL_TEXT;
	terminal->point_rest = 0;
	terminal->last = 0;
	grid_erase_rows(terminal, 0, terminal->rows);
}

static void control(struct terminal *terminal, uint8_t byte) {
	struct cursor *cursor = &terminal->cursor;

	terminal->point_rest = 0;
	switch (byte) {
	case BACKSPACE: grid_move(terminal, cursor->column - 1, cursor->row); break;
	case TAB:
		grid_move(terminal, (cursor->column / TAB_STEP + 1) * TAB_STEP, cursor->row);
		break;
	case LINE_FEED:
	case LINE_FEED + 1:
	case FORM_FEED: grid_line_feed(terminal); break;
	case RETURN: grid_move(terminal, 0, cursor->row); break;
	case SHIFT_OUT: cursor->shifted = true; break;
	case SHIFT_IN: cursor->shifted = false; break;
	default: break;
	}
}

// The byte behind ESC.
static void escape(struct terminal *terminal, uint8_t byte) {
	terminal->state = TERMINAL_TEXT;
	switch (byte) {
	case '[':
		terminal->state = TERMINAL_SEQUENCE;
		terminal->mark = 0;
		terminal->is_other = false;
		terminal->parameter_count = 0;
		memset(terminal->parameters, 0, sizeof(terminal->parameters));
		break;
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_': terminal->state = TERMINAL_STRING; break;
	case '(': terminal->state = TERMINAL_SET0; break;
	case ')': terminal->state = TERMINAL_SET1; break;
	case ' ':
	case '#':
	case '%':
	case '*':
	case '+': terminal->state = TERMINAL_SKIP; break;
	case '7': terminal->saved = terminal->cursor; break;
	case '8': terminal->cursor = terminal->saved; break;
	case 'D': grid_line_feed(terminal); break;
	case 'E':
		grid_move(terminal, 0, terminal->cursor.row);
		grid_line_feed(terminal);
		break;
	case 'M': grid_reverse_feed(terminal); break;
	case 'c': reset(terminal); break;
	default: break;
	}
}

// A parameter counts from its first digit, or from the separator in front of it.
static void digit(struct terminal *terminal, uint8_t byte) {
	unsigned last;

	if (terminal->parameter_count == 0) terminal->parameter_count = 1;
	last = terminal->parameter_count - 1;
	if (byte == ';' || byte == ':') {
		if (terminal->parameter_count < TERMINAL_PARAMETERS)
			terminal->parameter_count++;
		else
			terminal->is_other = true;
		return;
	}
	last = terminal->parameters[last] * 10u + (byte - '0');
	terminal->parameters[terminal->parameter_count - 1] =
		(uint16_t)(last > PARAMETER_MOST ? PARAMETER_MOST : last);
}

static void sequence(struct terminal *terminal, uint8_t byte) {
	if (byte >= '0' && byte <= ';')
		digit(terminal, byte);
	else if (byte >= '<' && byte <= '?')
		terminal->mark = byte;
	else if (byte < '0')
		terminal->is_other = true;
	else {
		terminal->state = TERMINAL_TEXT;
		// Of no parameter at all, colours take one of 0.
		if (terminal->parameter_count == 0 && byte == 'm') terminal->parameter_count = 1;
		if (byte < DELETE) sequence_run(terminal, byte);
	}
}

static void take(struct terminal *terminal, uint8_t byte) {
	switch (terminal->state) {
	case TERMINAL_TEXT: text(terminal, byte); break;
	case TERMINAL_ESCAPE: escape(terminal, byte); break;
	case TERMINAL_SET0:
	case TERMINAL_SET1:
		terminal->cursor.sets[terminal->state == TERMINAL_SET1] = byte;
		terminal->state = TERMINAL_TEXT;
		break;
	case TERMINAL_SKIP: terminal->state = TERMINAL_TEXT; break;
	case TERMINAL_SEQUENCE: sequence(terminal, byte); break;
	case TERMINAL_STRING: break;
	}
}

// Control characters are obeyed within sequences, too (VT220 4.2).
void terminal_put(struct terminal *terminal, uint8_t byte) {
	if (byte == ESCAPE) {
		terminal->state = TERMINAL_ESCAPE;
		terminal->point_rest = 0;
	} else if (byte == CANCEL || byte == SUBSTITUTE)
		terminal->state = TERMINAL_TEXT;
	else if (terminal->state == TERMINAL_STRING) {
		if (byte == BELL) terminal->state = TERMINAL_TEXT;
	} else if (byte < ' ')
		control(terminal, byte);
	else if (byte != DELETE)
		take(terminal, byte);
}

static uint16_t limit(unsigned value, unsigned most) {
	if (value == 0) value = 1;
	return (uint16_t)(value < most ? value : most);
}

void terminal_init(struct terminal *terminal, unsigned columns, unsigned rows) {
	terminal->columns = limit(columns, TERMINAL_COLUMNS);
	terminal->rows = limit(rows, TERMINAL_ROWS);
	terminal->answer_length = 0;
	reset(terminal);
}
