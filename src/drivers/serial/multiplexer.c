// SPDX-License-Identifier: BSD-2-Clause
// Shows several consoles on one terminal, line by line.
#include <drivers/serial/multiplexer.h>

#include <base/memory.h>

enum {
	CHARACTER_ESCAPE = 0x1b,
	CHARACTER_BACKSPACE = 0x08,
};

static void emit(const struct multiplexer *multiplexer, uint8_t character) {
	multiplexer->put(multiplexer->context, character);
}

static void emit_label(const struct multiplexer *multiplexer, const char *name) {
	emit(multiplexer, '[');
	while (*name)
		emit(multiplexer, (uint8_t)*name++);
	emit(multiplexer, ']');
	emit(multiplexer, ' ');
}

static void emit_line_end(struct multiplexer *multiplexer) {
	emit(multiplexer, '\r');
	emit(multiplexer, '\n');
	multiplexer->owner = MULTIPLEXER_NONE;
}

// Make the console's line the last one on the terminal, and complete so far.
static void show(struct multiplexer *multiplexer, int console) {
	struct multiplexer_line *line = &multiplexer->lines[console];

	if (multiplexer->owner != console) {
		if (multiplexer->owner != MULTIPLEXER_NONE) emit_line_end(multiplexer);
		emit_label(multiplexer, line->name);
		line->shown = 0;
		multiplexer->owner = console;
	}
	while (line->shown < line->length)
		emit(multiplexer, line->text[line->shown++]);
}

static void line_clear(struct multiplexer_line *line) {
	line->length = 0;
	line->shown = 0;
}

static void line_finish(struct multiplexer *multiplexer, int console) {
	struct multiplexer_line *line = &multiplexer->lines[console];

	show(multiplexer, console);
	emit_line_end(multiplexer);
	line_clear(line);
	line->return_pending = false;
}

// A carriage return without a line feed: the line is written over the old one.
static void line_restart(struct multiplexer *multiplexer, int console) {
	struct multiplexer_line *line = &multiplexer->lines[console];

	line->return_pending = false;
	line_clear(line);
	if (multiplexer->owner != console) return;
	emit(multiplexer, '\r');
	emit_label(multiplexer, line->name);
}

// Cursor movements make sense only where the line is on the terminal; they are never drawn again,
// because some request an answer from the terminal. Returns whether the character was part of one.
static bool put_escape(struct multiplexer *multiplexer, int console, uint8_t character) {
	struct multiplexer_line *line = &multiplexer->lines[console];
	bool started = character == CHARACTER_ESCAPE;

	if (line->escape == ESCAPE_NONE && !started) return false;
	if (console == multiplexer->focus) {
		if (started) show(multiplexer, console);
		emit(multiplexer, character);
	}
	if (started)
		line->escape = ESCAPE_STARTED;
	else if (line->escape == ESCAPE_STARTED && character == '[')
		line->escape = ESCAPE_SEQUENCE;
	else if (line->escape == ESCAPE_STARTED || (character >= 0x40 && character <= 0x7e))
		line->escape = ESCAPE_NONE;
	return true;
}

static void put_backspace(struct multiplexer *multiplexer, int console) {
	struct multiplexer_line *line = &multiplexer->lines[console];

	if (console == multiplexer->focus) {
		show(multiplexer, console);
		emit(multiplexer, CHARACTER_BACKSPACE);
	}
	if (line->length > 0) line->length--;
	if (line->shown > line->length) line->shown = line->length;
}

// A line longer than the buffer continues on the terminal without a copy, if its console has the
// keyboard; otherwise it is broken.
static void put_text(struct multiplexer *multiplexer, int console, uint8_t character) {
	struct multiplexer_line *line = &multiplexer->lines[console];

	if (line->length == MULTIPLEXER_LINE) {
		if (console == multiplexer->focus) {
			show(multiplexer, console);
			emit(multiplexer, character);
			return;
		}
		line_finish(multiplexer, console);
	}
	line->text[line->length++] = character;
	if (console == multiplexer->focus) show(multiplexer, console);
}

static void put_raw(struct multiplexer *multiplexer, int console, uint8_t character) {
	if (console == multiplexer->focus)
		emit(multiplexer, character);
	else if (character == '\n')
		multiplexer->hidden++;
}

void multiplexer_put(struct multiplexer *multiplexer, int console, uint8_t character) {
	struct multiplexer_line *line = &multiplexer->lines[console];

	if (multiplexer->raw) {
		put_raw(multiplexer, console, character);
		return;
	}
	if (put_escape(multiplexer, console, character)) return;
	if (character == '\n') {
		line_finish(multiplexer, console);
		return;
	}
	if (character == '\r') {
		line->return_pending = true;
		return;
	}
	if (line->return_pending) line_restart(multiplexer, console);
	if (character == CHARACTER_BACKSPACE)
		put_backspace(multiplexer, console);
	else if (character >= ' ' || character == '\t' || character == '\a')
		put_text(multiplexer, console, character);
}

void multiplexer_init(struct multiplexer *multiplexer,
	void (*put)(void *context, uint8_t character), void *context) {
	memset(multiplexer, 0, sizeof(*multiplexer));
	multiplexer->put = put;
	multiplexer->context = context;
	multiplexer->owner = MULTIPLEXER_NONE;
	multiplexer->focus = MULTIPLEXER_NONE;
}

void multiplexer_name(
	struct multiplexer *multiplexer, int console, const char *name, unsigned size) {
	char *label = multiplexer->lines[console].name;
	unsigned length = 0;

	while (length < size && length < MULTIPLEXER_NAME - 1 && name[length]) {
		char character = name[length];

		label[length++] = character > ' ' && character < 0x7f ? character : '?';
	}
	label[length] = 0;
}

// Sequences that a console had begun are ended on both sides of the change, or their rest would be
// drawn over output in between.
static void lines_clear(struct multiplexer *multiplexer) {
	for (int i = 0; i < MULTIPLEXER_CONSOLES; i++) {
		line_clear(&multiplexer->lines[i]);
		multiplexer->lines[i].return_pending = false;
		multiplexer->lines[i].escape = ESCAPE_NONE;
	}
}

void multiplexer_begin_raw(struct multiplexer *multiplexer) {
	if (multiplexer->focus == MULTIPLEXER_NONE) return;
	if (multiplexer->owner != MULTIPLEXER_NONE) emit_line_end(multiplexer);
	lines_clear(multiplexer);
	multiplexer->hidden = 0;
	multiplexer->raw = true;
}

unsigned multiplexer_end_raw(struct multiplexer *multiplexer) {
	if (!multiplexer->raw) return 0;
	multiplexer->raw = false;
	emit_line_end(multiplexer);
	return multiplexer->hidden;
}

void multiplexer_focus(struct multiplexer *multiplexer, int console) {
	multiplexer->focus = console;
	if (console != MULTIPLEXER_NONE && multiplexer->lines[console].length > 0)
		show(multiplexer, console);
}
