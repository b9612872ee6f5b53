// SPDX-License-Identifier: BSD-2-Clause
// Lines of text for a slow console: one thread writes, one of lower priority prints. A line that
// finds no room is dropped; a line with the number of dropped ones replaces them. Pure: runs in a
// host test.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	JOURNAL_LINES = 128,
	JOURNAL_LINE_SIZE = 254,
};

struct journal_line {
	uint8_t priority; // at which it is to be printed
	uint8_t length;
	char text[JOURNAL_LINE_SIZE];
};

struct journal {
	uint32_t head; // lines written so far; by the writer
	uint32_t tail; // lines printed so far; by the printer
	// The rest belongs to the writer.
	uint32_t length; // of the line at the head
	uint32_t dropped; // lines since the last that had room
	uint8_t dropped_priority; // the highest priority of those
	uint8_t priority; // of the line being written
	bool dropping; // the rest of this line is dropped
	struct journal_line lines[JOURNAL_LINES];
};

void journal_put(struct journal *journal, char character);

// Write the line that counts the dropped ones, once half of the room is free and no line is
// unfinished. Until then more are dropped, so that the output is not all counts.
void journal_count_dropped(struct journal *journal);

// The highest priority of the lines not printed yet; -1 when there are none.
int journal_priority(const struct journal *journal);

// The oldest line not printed yet, null when there is none; and the end of its printing.
const struct journal_line *journal_first(const struct journal *journal);
void journal_remove_first(struct journal *journal);
