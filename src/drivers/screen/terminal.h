// SPDX-License-Identifier: BSD-2-Clause
// A terminal: bytes of a program in, characters in cells out. Of a VT220 it has what Linux's terms
// vt100, vt102, vt220 and linux use (ECMA-48; DEC's VT220 Programmer Reference, chapter 4), with 16
// colours. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	TERMINAL_COLUMNS = 256,
	TERMINAL_ROWS = 96,
	TERMINAL_PARAMETERS = 16,
	TERMINAL_ANSWER = 32,
	TERMINAL_PLAIN = 0x07, // grey on black
};

// As a VGA's text mode has it: code, ink in the low and paper in the high half.
struct cell {
	uint8_t code;
	uint8_t attribute;
};

// Colours are the VGA's.
struct pen {
	uint8_t ink, paper;
	bool is_bright, is_reverse;
};

struct cursor {
	uint16_t column, row;
	bool is_behind; // the last column was written: the next character starts a line
	bool is_relative; // rows count from the top margin (DECOM)
	bool shifted; // the second character set
	uint8_t sets[2]; // of G0 and G1, the final of their designation
	struct pen pen;
};

enum terminal_state {
	TERMINAL_TEXT,
	TERMINAL_ESCAPE, // behind ESC
	TERMINAL_SET0, // behind ESC (
	TERMINAL_SET1,
	TERMINAL_SKIP, // one more byte of a sequence without effect
	TERMINAL_SEQUENCE, // behind ESC [
	TERMINAL_STRING, // behind ESC ], until BEL or ESC
};

struct terminal {
	uint16_t columns, rows;
	uint16_t top, bottom; // margins of scrolling: the rows from top to before bottom
	struct cursor cursor, saved, outside; // the last: of the main page
	bool inserts, wraps, is_hidden;
	bool has_cursor_keys; // they send their other sequences (DECCKM)
	bool is_alternate; // the page for full-screen programs

	enum terminal_state state;
	uint8_t mark; // of a sequence: the byte before its parameters, or 0
	bool is_other; // of a sequence: it has an intermediate byte, so it is none of ours
	unsigned parameter_count;
	uint16_t parameters[TERMINAL_PARAMETERS];
	uint32_t point; // of UTF-8, as far as it is read
	unsigned point_rest;
	uint8_t last; // character that was written last

	uint8_t answer[TERMINAL_ANSWER];
	unsigned answer_length; // to be sent and cleared by who calls

	// Rows that may have changed since they were shown, up to before the second; by the grid,
	// and cleared by who shows them.
	uint16_t changed, changed_end;

	struct cell cells[TERMINAL_ROWS][TERMINAL_COLUMNS];
	struct cell kept[TERMINAL_ROWS][TERMINAL_COLUMNS]; // the main page, while the other is used
};

// Sizes are at least 1, and cut to what fits.
void terminal_init(struct terminal *terminal, unsigned columns, unsigned rows);

void terminal_put(struct terminal *terminal, uint8_t byte);
