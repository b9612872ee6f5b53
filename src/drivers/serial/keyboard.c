// SPDX-License-Identifier: BSD-2-Clause
// Input side of the terminal.
#include <drivers/serial/keyboard.h>

enum {
	CONTROL_A = 0x01,
};

static enum keyboard_action command(struct keyboard *keyboard, enum guest_command command) {
	keyboard->command = command;
	return KEYBOARD_COMMAND;
}

static enum keyboard_action attach(struct keyboard *keyboard, unsigned client) {
	keyboard->client = client;
	return KEYBOARD_ATTACH;
}

enum keyboard_action keyboard_put(struct keyboard *keyboard, uint8_t character) {
	if (!keyboard->escaped) {
		keyboard->escaped = character == CONTROL_A;
		return keyboard->escaped ? KEYBOARD_NOTHING : KEYBOARD_CHARACTER;
	}
	keyboard->escaped = false;
	if (character >= '1' && character <= '9') return attach(keyboard, character - '1');
	switch (character) {
	case CONTROL_A: return KEYBOARD_CHARACTER;
	case 'c': return KEYBOARD_NEXT_CONSOLE;
	case 'v': return KEYBOARD_RAW_VIEW;
	case 'b': return KEYBOARD_BREAK;
	case 'g': return KEYBOARD_LIST;
	case 'p': return command(keyboard, GUEST_PAUSE);
	case 'u': return command(keyboard, GUEST_RESUME);
	case 'r': return command(keyboard, GUEST_RESET);
	case 'o': return command(keyboard, GUEST_POWER_BUTTON);
	case 'n': return command(keyboard, GUEST_NMI);
	case 'k': return command(keyboard, GUEST_STOP);
	case 'h':
	case '?': return KEYBOARD_HELP;
	default: return KEYBOARD_NOTHING;
	}
}
