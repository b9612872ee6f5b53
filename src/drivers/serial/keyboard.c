// SPDX-License-Identifier: BSD-2-Clause
// Input side of the terminal.
#include <drivers/serial/keyboard.h>

enum {
	CONTROL_A = 0x01,
};

enum keyboard_action keyboard_put(struct keyboard *keyboard, uint8_t character) {
	if (!keyboard->escaped) {
		keyboard->escaped = character == CONTROL_A;
		return keyboard->escaped ? KEYBOARD_NOTHING : KEYBOARD_CHARACTER;
	}
	keyboard->escaped = false;
	switch (character) {
	case CONTROL_A: return KEYBOARD_CHARACTER;
	case 'c': return KEYBOARD_NEXT_CONSOLE;
	case 'v': return KEYBOARD_RAW_VIEW;
	case 'b': return KEYBOARD_BREAK;
	case 'r': return KEYBOARD_RESTART;
	case 'h':
	case '?': return KEYBOARD_HELP;
	default: return KEYBOARD_NOTHING;
	}
}
