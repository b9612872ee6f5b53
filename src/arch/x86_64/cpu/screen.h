// SPDX-License-Identifier: BSD-2-Clause
// Text on the screen, as the boot loader has set that up. Pure: writes the screen's memory and
// nothing else.
#pragma once

#include <base/compiler.h>

enum { SCREEN_LAYOUT = 22, SCREEN_INFO = 30 }; // bytes of its description: at least, and all
enum { GLYPH_WIDTH = 8, GLYPH_HEIGHT = 16, GLYPHS = 128 };

struct screen {
	uint8_t *memory; // null: nothing is written
	uint64_t address, size; // of the memory; no size: there is no screen
	uint32_t pitch; // bytes from one line of points to the next
	uint32_t ink; // a white point
	uint16_t columns, rows, column, row; // of characters
	uint8_t bytes; // of a point, or of a character of text mode
	bool is_text;
};

// Made by font.py, a bit a point, the left one highest.
extern const uint8_t screen_font[GLYPHS][GLYPH_HEIGHT];

// From the loader's description; false, and no size, where it is none that can be used. Does not
// look at where the memory is.
[[nodiscard]] bool screen_read(struct screen *screen, const uint8_t info[SCREEN_INFO]);

// From here on it is written.
void screen_show(struct screen *screen, void *memory);

void screen_put(struct screen *screen, char character);
