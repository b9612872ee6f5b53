// SPDX-License-Identifier: BSD-2-Clause
// A console: memory that a program shares with the serial port driver. The program writes output
// and notifies the driver; the driver writes input and notifies the program. A zeroed console is a
// valid one without a name.
#pragma once

#include <components/ring.h>

enum {
	CONSOLE_NAME_LENGTH = 32,
	CONSOLE_PLAIN = 0,
	CONSOLE_INTERACTIVE = 1, // its unfinished lines are shown and it may have the keyboard
};

struct console {
	struct byte_ring out; // program to driver
	struct byte_ring in; // driver to program
	_Atomic uint32_t kind;
	char name[CONSOLE_NAME_LENGTH]; // label of its lines; the driver distrusts it
};

_Static_assert(sizeof(struct console) <= 0x5000);

// Program: say who it is. Done once, before the first output.
static inline void console_open(struct console *console, const char *name, uint32_t kind) {
	for (unsigned i = 0; i < CONSOLE_NAME_LENGTH - 1 && name[i]; i++)
		console->name[i] = name[i];
	atomic_store_explicit(&console->kind, kind, memory_order_release);
}
