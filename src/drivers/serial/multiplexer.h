// SPDX-License-Identifier: BSD-2-Clause
// Shows several consoles on one terminal, line by line. Pure: characters in, characters out.
//
// Each line starts with the label of its console. Lines of a console without the keyboard are shown
// when they are complete; those of the one with it, as they grow. When a line comes in between, the
// growing line is ended, and drawn again with its next character.
//
// In the raw view the terminal belongs to the console that has the keyboard: its characters pass
// unchanged, and lines of the others are counted instead of shown.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	MULTIPLEXER_CONSOLES = 9, // eight of programs, one of the driver
	MULTIPLEXER_NAME = 32,
	MULTIPLEXER_LINE = 256,
	MULTIPLEXER_NONE = -1,
	// The longest output for one character from a console.
	MULTIPLEXER_EXPANSION = MULTIPLEXER_LINE + MULTIPLEXER_NAME + 16,
};

enum escape_state {
	ESCAPE_NONE,
	ESCAPE_STARTED, // after ESC
	ESCAPE_SEQUENCE, // after ESC [, until a final byte
};

struct multiplexer_line {
	char name[MULTIPLEXER_NAME];
	uint8_t text[MULTIPLEXER_LINE];
	unsigned length;
	unsigned shown; // characters of text that are on the terminal
	bool return_pending; // after CR: LF ends the line, anything else starts it over
	enum escape_state escape;
};

struct multiplexer {
	void (*put)(void *context, uint8_t character);
	void *context;
	int owner; // console whose unfinished line is on the terminal, or MULTIPLEXER_NONE
	int focus; // console that has the keyboard, or MULTIPLEXER_NONE
	bool raw;
	unsigned hidden; // lines of other consoles since the raw view began
	struct multiplexer_line lines[MULTIPLEXER_CONSOLES];
};

void multiplexer_init(struct multiplexer *multiplexer,
	void (*put)(void *context, uint8_t character), void *context);

// Label of a console; `name` need not end within `size` bytes. Unprintable characters become '?'.
void multiplexer_name(
	struct multiplexer *multiplexer, int console, const char *name, unsigned size);

void multiplexer_put(struct multiplexer *multiplexer, int console, uint8_t character);

// Begin the raw view, if a console has the keyboard; or end it and return how many lines of others
// were not shown.
void multiplexer_begin_raw(struct multiplexer *multiplexer);
unsigned multiplexer_end_raw(struct multiplexer *multiplexer);

// Give a console the keyboard; its unfinished line is shown.
void multiplexer_focus(struct multiplexer *multiplexer, int console);
