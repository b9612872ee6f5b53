// SPDX-License-Identifier: BSD-2-Clause
// Draws a terminal on the screen, cell by cell where it has changed. Pure: writes the screen's
// memory and nothing else.
#pragma once

#include <base/screen.h>

#include <drivers/screen/terminal.h>

enum { DISPLAY_COLOURS = 16 };

struct display {
	struct screen screen;
	uint16_t columns, rows; // that are used
	uint32_t colours[DISPLAY_COLOURS]; // as points
	const struct terminal *terminal; // that is shown
	uint16_t cursor_row; // where it was then
	struct cell shown[TERMINAL_ROWS][TERMINAL_COLUMNS];
};

// By the boot loader's description, and clears it. False where it is none that can be drawn on.
[[nodiscard]] bool display_open(
	struct display *display, const uint8_t info[SCREEN_INFO], uint8_t *memory);

void display_show(struct display *display, struct terminal *terminal);
