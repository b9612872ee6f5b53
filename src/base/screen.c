// SPDX-License-Identifier: BSD-2-Clause
// Points of any layout, or the characters of a VGA's text mode. To read such memory is slow, so
// text does not scroll: it goes on in the first row, and the row below the newest one is empty. No
// more than that is cleared: to clear a large screen takes longer than all else at boot.
#include <base/screen.h>

#include <base/bits.h>

// Further places in the loader's description, and what it may be.
enum { WIDTH = 12, BITS = 20, TYPE = 21, FIELDS = 24 };
enum { TYPE_RGB = 1, TYPE_TEXT = 2 };

enum { TEXT_BYTES = 2, GREY_ON_BLACK = 0x07, CHARACTERS_MOST = 4096 };
#define SIZE_MOST (1ul << 28)

// At any address.
typedef uint32_t point_t __attribute__((may_alias, aligned(1)));
typedef uint16_t character_t __attribute__((may_alias, aligned(1)));

// A colour's field, of a position and a size, with all bits set; 0: it is none.
static uint32_t field_full(const uint8_t *field, unsigned bits) {
	unsigned position = field[0], size = field[1];

	return position + size <= bits ? (uint32_t)(((1ul << size) - 1) << position) : 0;
}

static bool layout_read(struct screen *screen, const uint8_t *info) {
	unsigned bits = info[BITS];

	screen->is_text = info[TYPE] == TYPE_TEXT;
	memcpy(screen->fields, info + FIELDS, sizeof(screen->fields));
	screen->attribute = GREY_ON_BLACK;
	screen->bytes = screen->is_text ? TEXT_BYTES : (uint8_t)((bits + 7) / 8);
	if (screen->is_text) return true;
	for (unsigned i = 0; i < 3 && bits <= 32; i++) {
		uint32_t full = field_full(info + FIELDS + 2 * i, bits);

		if (!full) return false;
		screen->ink |= full;
	}
	return info[TYPE] == TYPE_RGB && bits <= 32;
}

bool screen_read(struct screen *screen, const uint8_t info[SCREEN_INFO]) {
	uint64_t pitch = bytes_number(info, SCREEN_PITCH, 4);
	uint64_t width = bytes_number(info, WIDTH, 4),
		 height = bytes_number(info, SCREEN_HEIGHT, 4);
	uint64_t columns = width, rows = height;

	*screen = (struct screen){
		.address = bytes_number(info, SCREEN_START, 8), .pitch = (uint32_t)pitch};
	if (!layout_read(screen, info)) return false;
	if (!screen->is_text) {
		columns /= GLYPH_WIDTH;
		rows /= GLYPH_HEIGHT;
	}
	if (!columns || columns > CHARACTERS_MOST || rows < 2 || rows > CHARACTERS_MOST)
		return false;
	if (width * screen->bytes > pitch || pitch * height > SIZE_MOST) return false;
	screen->columns = (uint16_t)columns;
	screen->rows = (uint16_t)rows;
	screen->size = pitch * height;
	return true;
}

static uint8_t *row_start(const struct screen *screen, unsigned row) {
	return screen->memory +
		(uint64_t)row * (screen->is_text ? 1 : GLYPH_HEIGHT) * screen->pitch;
}

static void row_clear(const struct screen *screen, unsigned row) {
	uint8_t *start = row_start(screen, row);

	for (unsigned i = 0; i < screen->columns && screen->is_text; i++)
		((character_t *)start)[i] = GREY_ON_BLACK << 8 | ' ';
	if (!screen->is_text) memset(start, 0, (uint64_t)GLYPH_HEIGHT * screen->pitch);
}

void screen_show(struct screen *screen, void *memory) {
	screen->memory = memory;
	row_clear(screen, 0);
	row_clear(screen, 1);
}

static void glyph_draw(const struct screen *screen, uint8_t *line, const uint8_t *glyph) {
	for (unsigned y = 0; y < GLYPH_HEIGHT; y++, line += screen->pitch) {
#pragma GCC unroll 8
		for (unsigned x = 0; x < GLYPH_WIDTH; x++) {
			point_t point = glyph[y] >> (GLYPH_WIDTH - 1 - x) & 1 ? screen->ink
									      : screen->paper;

			if (likely(screen->bytes == sizeof(point)))
				((point_t *)line)[x] = point;
			else
				memcpy(line + x * screen->bytes, &point, screen->bytes);
		}
	}
}

void screen_draw(const struct screen *screen, unsigned column, unsigned row, unsigned code) {
	uint8_t *start = row_start(screen, row);

	if (screen->is_text)
		((character_t *)start)[column] = (character_t)(screen->attribute << 8 | code);
	else
		glyph_draw(screen, start + (uint64_t)column * GLYPH_WIDTH * screen->bytes,
			screen_font[code]);
}

void screen_take(struct screen *screen) {
	if (!screen->is_lent) return;
	screen->is_lent = false;
	screen->column = screen->row = 0;
	screen_show(screen, screen->memory);
}

static void line_next(struct screen *screen) {
	screen->column = 0;
	screen->row = (uint16_t)((screen->row + 1) % screen->rows);
	row_clear(screen, (screen->row + 1u) % screen->rows);
}

void screen_put(struct screen *screen, char character) {
	unsigned code = (uint8_t)character;

	if (!screen->memory || screen->is_lent || character == '\r') return;
	if (character == '\n' || screen->column == screen->columns) line_next(screen);
	if (character == '\n') return;
	if (code < ' ' || code > '~') code = '?';
	// A row is cleared before it is written.
	if (code != ' ') screen_draw(screen, screen->column, screen->row, code);
	screen->column++;
}
