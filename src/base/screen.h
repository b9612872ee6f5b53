// SPDX-License-Identifier: BSD-2-Clause
// Text on the screen, as the boot loader has set that up. Pure: writes the screen's memory and
// nothing else.
#pragma once

#include <base/compiler.h>

enum { SCREEN_LAYOUT = 22, SCREEN_INFO = 30 }; // bytes of its description: at least, and all
// Places in it that others read as well (Multiboot2 2.0, 3.6.12).
enum { SCREEN_START = 0, SCREEN_PITCH = 8, SCREEN_HEIGHT = 16 };
enum { GLYPH_WIDTH = 8, GLYPH_HEIGHT = 16, GLYPHS = 128 };

struct screen {
	uint8_t *memory; // null: nothing is written
	uint64_t address, size; // of the memory; no size: there is no screen
	uint32_t pitch; // bytes from one line of points to the next
	uint32_t ink, paper; // points of a character: at first white and black
	uint16_t columns, rows, column, row; // of characters
	uint8_t fields[6]; // of a point: position and size of red, green and blue
	uint8_t attribute; // the same two in text mode
	uint8_t bytes; // of a point, or of a character of text mode
	bool is_text;
	bool is_lent; // another draws: nothing is written
};

// Made by font.py, a bit a point, the left one highest.
extern const uint8_t screen_font[GLYPHS][GLYPH_HEIGHT];

// From the loader's description; false, and no size, where it is none that can be used. Does not
// look at where the memory is.
[[nodiscard]] bool screen_read(struct screen *screen, const uint8_t info[SCREEN_INFO]);

// From here on it is written.
void screen_show(struct screen *screen, void *memory);

// At the next place.
void screen_put(struct screen *screen, char character);

// At a place of the screen; the code is below GLYPHS.
void screen_draw(const struct screen *screen, unsigned column, unsigned row, unsigned code);

// Who got these bytes of memory draws on the screen from now on, if it begins among them.
static inline void screen_lend(struct screen *screen, uint64_t address, uint64_t size) {
	if (screen->memory && screen->address - address < size) screen->is_lent = true;
}

// If it is lent, it is not any longer: text goes on in the first row.
void screen_take(struct screen *screen);
