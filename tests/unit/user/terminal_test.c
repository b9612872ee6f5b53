// SPDX-License-Identifier: BSD-2-Clause
// The screen's terminal: what programs write, and what is to be seen.
#include "test.h"

#include <string.h>

#include <drivers/screen/terminal.h>

enum { COLUMNS = 10, ROWS = 4 };

static struct terminal terminal;

static void begin(void) { terminal_init(&terminal, COLUMNS, ROWS); }

static void write(const char *text) {
	while (*text)
		terminal_put(&terminal, (uint8_t)*text++);
}

// Of one row, without the blanks at its end.
static bool row_is(unsigned row, const char *text) {
	size_t length = strlen(text);

	for (unsigned column = 0; column < terminal.columns; column++) {
		char wanted = column < length ? text[column] : ' ';

		if (terminal.cells[row][column].code != (uint8_t)wanted) return false;
	}
	return true;
}

static bool rows_are(const char *a, const char *b, const char *c, const char *d) {
	return row_is(0, a) && row_is(1, b) && row_is(2, c) && row_is(3, d);
}

static bool cursor_is(unsigned column, unsigned row) {
	return terminal.cursor.column == column && terminal.cursor.row == row;
}

static uint8_t attribute(unsigned column) { return terminal.cells[0][column].attribute; }

static bool answers(const char *question, const char *answer) {
	bool is_right;

	terminal.answer_length = 0;
	write(question);
	is_right = terminal.answer_length == strlen(answer) &&
		!memcmp(terminal.answer, answer, strlen(answer));
	terminal.answer_length = 0;
	return is_right;
}

static void text(void) {
	begin();
	write("one\r\ntwo\tx\b\bab");
	check(rows_are("one", "two    ab", "", "") && cursor_is(9, 1));
	begin();
	// The last column does not start a line before there is more.
	write("0123456789");
	check(row_is(0, "0123456789") && cursor_is(9, 0));
	write("a");
	check(row_is(1, "a") && cursor_is(1, 1));
	write("\r\n\n\nb");
	check(rows_are("a", "", "", "b"));
	begin();
	write("\x1b[?7l0123456789abc");
	check(rows_are("012345678c", "", "", ""));
	begin();
	write("\x07\x7f\x01z");
	check(row_is(0, "z"));
}

static void characters(void) {
	begin();
	// An umlaut, a dash, two lines, a dot, a combining accent, a wrong byte.
	write("\xc3\xa4\xe2\x80\x93\xe2\x94\x80\xe2\x94\x82\xe2\x97\x8f"
	      "e\xcc\x81\x80z");
	check(row_is(0, "?--|*ez"));
	begin();
	// One that ends too early, and one of four bytes.
	write("\xe2\x94"
	      "a\xf0\x9f\x98\x80"
	      "b");
	check(row_is(0, "a?b"));
	begin();
	write("\x1b(0lqk\x1b(B lq\x0exj\x0f x");
	check(row_is(0, "+-+ lq|+ x"));
}

static void moves(void) {
	begin();
	write("\x1b[2;3Ha\x1b[Ab\x1b[2Cc\x1b[20Dd\x1b[4;1He\x1b[1;10Hf");
	check(rows_are("d  b  c  f", "  a", "", "e"));
	write("\x1b[99;99Hg\x1b[1Gh\x1b[2di\x1b[Hj");
	check(rows_are("j  b  c  f", " ia", "", "h        g"));
	write("\x1b[3;3H\x1b"
	      "7\x1b[H\x1b"
	      "8k\x1b[s\x1b[H\x1b[ul");
	check(row_is(2, "  kl"));
	write("\x1b[2E\x1b[1Fm");
	check(row_is(2, "m kl"));
	check(terminal.state == TERMINAL_TEXT);
}

static void erases(void) {
	begin();
	write("aaaaa\r\nbbbbb\r\nccccc\r\nddddd\x1b[2;3H\x1b[K");
	check(rows_are("aaaaa", "bb", "ccccc", "ddddd"));
	write("\x1b[3;3H\x1b[1K\x1b[1;2H\x1b[2X");
	check(rows_are("a  aa", "bb", "   cc", "ddddd"));
	write("\x1b[3;5H\x1b[J");
	check(rows_are("a  aa", "bb", "   c", ""));
	write("\x1b[2;1H\x1b[1J");
	check(rows_are("", " b", "   c", ""));
	write("\x1b[2J");
	check(rows_are("", "", "", ""));
}

static void edits(void) {
	begin();
	write("abcdef\x1b[1;3H\x1b[2@\x1b[1;1H\x1b[P");
	check(row_is(0, "b  cdef"));
	write("\x1b[4hX\x1b[4lY");
	check(row_is(0, "XY  cdef"));
	begin();
	write("a\r\nb\r\nc\r\nd\x1b[2;1H\x1b[L");
	check(rows_are("a", "", "b", "c"));
	write("\x1b[2M");
	check(rows_are("a", "c", "", ""));
	write("\x1b[H-\x1b[3b");
	check(row_is(0, "----"));
	begin();
	write("-\x1b[9999b");
	check(rows_are("----------", "-", "", ""));
}

static void margins(void) {
	begin();
	write("a\r\nb\r\nc\r\nd\x1b[2;3r");
	check(cursor_is(0, 0));
	write("\x1b[3;1H\n");
	check(rows_are("a", "c", "", "d"));
	write("\x1b[2;1H\x1bM");
	check(rows_are("a", "", "c", "d"));
	// The cursor stays between the margins it began in.
	write("\x1b[9Bx\x1b[9Ay");
	check(rows_are("a", " y", "x", "d"));
	write("\x1b[?6h\x1b[1;1Hz\x1b[9;1Hw");
	check(rows_are("a", "zy", "w", "d"));
	write("\x1b[?6l\x1b[r\x1b[4;1H\n");
	check(rows_are("zy", "w", "d", ""));
	write("\x1b[S\x1b[2T");
	check(rows_are("", "", "w", "d"));
	// Margins that are none.
	write("\x1b[3;2r\x1b[4;1H\n");
	check(row_is(1, "w"));
}

static void colours(void) {
	begin();
	write("a\x1b[31mb\x1b[1mc\x1b[44md\x1b[7me\x1b[me\x1b[94;103mf\x1b[39;49mg");
	check(attribute(0) == 0x07 && attribute(1) == 0x04 && attribute(2) == 0x0c);
	check(attribute(3) == 0x1c && attribute(4) == 0x41 && attribute(5) == 0x07);
	check(attribute(6) == 0xe9 && attribute(7) == 0x07);
	begin();
	write("\x1b[38;5;196ma\x1b[38;5;2mb\x1b[48;2;0;0;200mc\x1b[0;38;5;244md\x1b[;32me");
	check(attribute(0) == 0x0c && attribute(1) == 0x02 && attribute(2) == 0x12);
	check((attribute(3) & 7) == 7 && attribute(4) == 0x02);
	// What is erased has the paper.
	write("\x1b[42m\x1b[K");
	check(attribute(9) == 0x27);
}

static void sequences(void) {
	begin();
	// Strings, sequences of others and broken ones leave nothing behind.
	write("\x1b]0;title\x07\x1bPq#0\x1b\\\x1b[>c\x1b[=3c\x1b[1 q\x1b#8\x1b%Ga\x1b[12\x18"
	      "b");
	check(row_is(0, "ab"));
	write("\x1b[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;31mc\x1b[99999999Gd");
	check(row_is(0, "abc      d"));
	// A control character within a sequence.
	begin();
	write("x\x1b[2\r\n;5Hy");
	check(rows_are("x", "    y", "", ""));
	// A sequence begins another.
	begin();
	write("\x1b[3\x1b[2;2Hz");
	check(rows_are("", " z", "", ""));
}

static void pages(void) {
	begin();
	write("main\x1b[?1049h\x1b[Hother");
	check(row_is(0, "other"));
	write("\x1b[?1049l!");
	check(row_is(0, "main!") && cursor_is(5, 0));
	check(!terminal.has_cursor_keys);
	write("\x1b[?1h\x1b[?25l");
	check(terminal.has_cursor_keys && terminal.is_hidden);
	write("\x1b"
	      "cR");
	check(row_is(0, "R") && !terminal.has_cursor_keys && !terminal.is_hidden);
}

static void questions_of_programs(void) {
	begin();
	check(answers("\x1b[c", "\x1b[?6c") && answers("\x1b[5n", "\x1b[0n"));
	check(answers("\x1b[3;4H\x1b[6n", "\x1b[3;4R"));
	// As `resize` asks.
	check(answers("\x1b[r\x1b[999;999H\x1b[6n", "\x1b[4;10R"));
	check(answers("\x1b[2;3r\x1b[?6h\x1b[2;1H\x1b[6n", "\x1b[2;1R"));
	check(answers("\x1b[?6n\x1b[7n", ""));
	for (unsigned i = 0; i < 100; i++)
		write("\x1b[c");
	check(terminal.answer_length <= TERMINAL_ANSWER);
}

static void sizes(void) {
	static const unsigned all[] = {0, 1, 2, 80, 100000};

	for (unsigned i = 0; i < array_count(all) * array_count(all); i++) {
		terminal_init(&terminal, all[i % array_count(all)], all[i / array_count(all)]);
		check(terminal.columns >= 1 && terminal.columns <= TERMINAL_COLUMNS);
		check(terminal.rows >= 1 && terminal.rows <= TERMINAL_ROWS);
		for (unsigned k = 0; k < 300; k++)
			write("ab\r\n\x1b[999;999Hx\x1b[L\x1b[M\x1b[@\x1b[P\x1b[r\x1bM");
		check(terminal.cursor.column < terminal.columns);
		check(terminal.cursor.row < terminal.rows);
	}
}

static const struct test rows[] = {
	{"user/terminal/text", "lines wrap and scroll", text},
	{"user/terminal/characters", "what the font lacks takes one place", characters},
	{"user/terminal/moves", "the cursor goes where it is sent", moves},
	{"user/terminal/erases", "parts of line and page are erased", erases},
	{"user/terminal/edits", "characters and lines are put in and taken out", edits},
	{"user/terminal/margins", "between margins rows scroll, others stay", margins},
	{"user/terminal/colours", "16 colours, of 256 and of all the nearest", colours},
	{"user/terminal/sequences", "unknown and broken sequences leave nothing", sequences},
	{"user/terminal/pages", "full-screen programs have a page of their own", pages},
	{"user/terminal/questions", "it says where the cursor is", questions_of_programs},
	{"user/terminal/sizes", "any size holds whatever is written", sizes},
};

const struct tests terminal_tests = {rows, array_count(rows)};
