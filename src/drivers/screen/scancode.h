// SPDX-License-Identifier: BSD-2-Clause
// A PC keyboard: its scan codes (set 1, into which the controller translates; IBM PS/2 Hardware
// Interface Technical Reference, keyboards) as what a terminal sends, by the US layout. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	KEY_BYTES = 8,
	KEY_NO_PLACE = -1,
	KEY_NEXT_PLACE = -2,
	KEY_LAST_PLACE = -3,
	PLACE_KEYS = 9, // Alt-F1 and so on
	// As the keyboard has them.
	LED_NUMBERS = 1 << 1,
	LED_CAPITALS = 1 << 2,
};

struct scancodes {
	bool is_extended; // the last code was E0
	unsigned skip; // codes that belong to one without a meaning here
	bool shifts[2], controls[2], alts[2]; // are down: left, right
	bool numbers; // of the keypad, not its cursor keys
	bool capitals;
	bool holds_capitals, holds_numbers; // the lock's key is down, and repeats
};

// What a code means.
struct key {
	uint8_t bytes[KEY_BYTES];
	unsigned length; // 0: nothing is sent
	int place; // to be shown: from 0 on, or one of the above
	bool changes_leds;
};

// The LEDs as they should be.
uint8_t scancodes_leds(const struct scancodes *scancodes);

// `has_cursor_keys`: the program wants the other sequences of the cursor keys.
struct key scancodes_put(struct scancodes *scancodes, uint8_t code, bool has_cursor_keys);
