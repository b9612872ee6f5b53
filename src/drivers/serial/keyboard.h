// SPDX-License-Identifier: BSD-2-Clause
// Input side of the terminal: Ctrl-A starts a command, everything else is for a console. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum keyboard_action {
	KEYBOARD_NOTHING,
	KEYBOARD_CHARACTER, // give it to the console in focus
	KEYBOARD_NEXT_CONSOLE,
	KEYBOARD_HELP,
	KEYBOARD_RAW_VIEW, // begin it, or end it
	KEYBOARD_BREAK,
	KEYBOARD_RESTART, // events for the console in focus
};

struct keyboard {
	bool escaped; // the last character was Ctrl-A
};

enum keyboard_action keyboard_put(struct keyboard *keyboard, uint8_t character);
