// SPDX-License-Identifier: BSD-2-Clause
// Select graphic rendition (ECMA-48 8.3.117). Of 256 and of all colours the nearest of the 16 is
// taken. What a character cannot have here, as a line below it, is shown by a bright ink.
#include <drivers/screen/sequence.h>

enum { INK = 7, PAPER = 0, BRIGHT = 8, CUBE = 16, CUBE_SIDE = 6, GREYS = 232, COLOURS = 256 };
// Kinds of colours behind 38 and 48.
enum { DIRECT = 2, INDEXED = 5 };

// ECMA-48 counts red, green, blue from the lowest bit; a VGA the other way round.
static uint8_t vga_colour(unsigned ecma) {
	return (uint8_t)((ecma & 0xa) | (ecma & 1) << 2 | (ecma >> 2 & 1));
}

static uint8_t nearest(unsigned red, unsigned green, unsigned blue) {
	unsigned most = red > green ? red : green;
	unsigned ecma;

	if (blue > most) most = blue;
	// Dark, or a grey between black and grey.
	if (most < 48) return 0;
	if (most < 112 && red / 48 == green / 48 && green / 48 == blue / 48) return BRIGHT;
	ecma = (red > most / 2) | (green > most / 2) << 1 | (unsigned)(blue > most / 2) << 2;
	return vga_colour(ecma) | (most > 208 ? BRIGHT : 0);
}

static uint8_t indexed(unsigned index) {
	static const uint8_t levels[CUBE_SIDE] = {0, 95, 135, 175, 215, 255};
	unsigned grey;

	if (index < CUBE) return vga_colour(index);
	if (index >= COLOURS) return INK;
	if (index >= GREYS) {
		grey = 8 + 10 * (index - GREYS);
		return nearest(grey, grey, grey);
	}
	index -= CUBE;
	return nearest(levels[index / (CUBE_SIDE * CUBE_SIDE)],
		levels[index / CUBE_SIDE % CUBE_SIDE], levels[index % CUBE_SIDE]);
}

// The colour behind 38 or 48; returns how many parameters it has.
static unsigned extended(const uint16_t *rest, unsigned count, uint8_t *colour) {
	if (count >= 2 && rest[0] == INDEXED) {
		*colour = indexed(rest[1]);
		return 2;
	}
	if (count >= 4 && rest[0] == DIRECT) {
		*colour = nearest(rest[1], rest[2], rest[3]);
		return 4;
	}
	return count;
}

struct pen style_plain(void) {
	return (struct pen){.ink = INK, .paper = PAPER};
}

static void set_one(struct pen *pen, unsigned parameter) {
	if (parameter >= 30 && parameter <= 37)
		pen->ink = vga_colour(parameter - 30);
	else if (parameter >= 40 && parameter <= 47)
		pen->paper = vga_colour(parameter - 40);
	else if (parameter >= 90 && parameter <= 97)
		pen->ink = vga_colour(parameter - 90) | BRIGHT;
	else if (parameter >= 100 && parameter <= 107)
		pen->paper = vga_colour(parameter - 100) | BRIGHT;
	else if (parameter == 1 || parameter == 4)
		pen->is_bright = true;
	else if (parameter == 22 || parameter == 24)
		pen->is_bright = false;
	else if (parameter == 7 || parameter == 27)
		pen->is_reverse = parameter == 7;
	else if (parameter == 39)
		pen->ink = INK;
	else if (parameter == 49)
		pen->paper = PAPER;
}

void style_set(struct pen *pen, const uint16_t *parameters, unsigned count) {
	for (unsigned i = 0; i < count; i++) {
		if (parameters[i] == 0)
			*pen = style_plain();
		else if (parameters[i] == 38)
			i += extended(parameters + i + 1, count - i - 1, &pen->ink);
		else if (parameters[i] == 48)
			i += extended(parameters + i + 1, count - i - 1, &pen->paper);
		else
			set_one(pen, parameters[i]);
	}
}
