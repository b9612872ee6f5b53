// SPDX-License-Identifier: BSD-2-Clause
// Input side of the terminal: Ctrl-A starts a command, everything else is for a console. Pure.
#pragma once

#include <nacre/protocol/guest.h>

#include <stdbool.h>

enum keyboard_action {
	KEYBOARD_NOTHING,
	KEYBOARD_CHARACTER, // give it to the console in focus
	KEYBOARD_NEXT_CONSOLE,
	KEYBOARD_HELP,
	KEYBOARD_RAW_VIEW, // begin it, or end it
	KEYBOARD_BREAK, // an event for the console in focus
	KEYBOARD_LIST, // shows the clients
	KEYBOARD_ATTACH, // the client of a number gets the keyboard
	KEYBOARD_COMMAND, // to the guest in focus
};

struct keyboard {
	bool escaped; // the last character was Ctrl-A
	unsigned client; // of KEYBOARD_ATTACH, from 0 on
	enum guest_command command;
};

enum keyboard_action keyboard_put(struct keyboard *keyboard, uint8_t character);
