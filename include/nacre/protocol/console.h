// SPDX-License-Identifier: BSD-2-Clause
// A console: memory that a program shares with the serial port driver, with a ring of bytes each
// way. A zeroed console is a valid one without a name.
#pragma once

#include <abi/compiler.h>
#include <nacre/protocol/guest.h>
#include <nacre/ring.h>

enum {
	CONSOLE_CAPACITY = 8192,
	CONSOLE_RING = RING_HEADER + CONSOLE_CAPACITY,
	CONSOLE_NAME_LENGTH = 32,
	CONSOLE_PLAIN = 0,
	CONSOLE_INTERACTIVE = 1, // its unfinished lines are shown and it may have the keyboard
};

struct console {
	uint8_t out[CONSOLE_RING] __attribute__((aligned(RING_LINE))); // program to driver
	uint8_t in[CONSOLE_RING] __attribute__((aligned(RING_LINE))); // driver to program
	uint32_t kind;
	char name[CONSOLE_NAME_LENGTH]; // label of its lines; not trusted by the driver
	// Events that are no bytes, counted up by the driver.
	uint32_t breaks; // BREAK conditions of the line
	uint32_t break_head; // bytes ever put into `in` before the last of them
	// Of the guest that the program runs, if it runs one: the driver is a controller.
	struct guest_control guest;
};

ABI_ASSERT(sizeof(struct console) <= 0x5000);

// One side's ends of the two rings.
struct console_end {
	struct ring_end out;
	struct ring_end in;
};

// Program: set its name. Once, before the first output. False without a region.
static inline bool console_open(
	struct console_end *end, struct console *console, const char *name, uint32_t kind) {
	if (!console || !ring_attach_producer(&end->out, console->out, CONSOLE_RING, 1) ||
		!ring_attach_consumer(&end->in, console->in, CONSOLE_RING, 1))
		return false;
	for (unsigned i = 0; i < CONSOLE_NAME_LENGTH - 1 && name[i]; i++)
		console->name[i] = name[i];
	__atomic_store_n(&console->kind, kind, __ATOMIC_RELEASE);
	return true;
}

// Driver: initialise its side. False without a region.
static inline bool console_serve(struct console_end *end, struct console *console) {
	return console && ring_attach_consumer(&end->out, console->out, CONSOLE_RING, 1) &&
		ring_attach_producer(&end->in, console->in, CONSOLE_RING, 1);
}
