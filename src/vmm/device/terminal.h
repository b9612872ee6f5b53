// SPDX-License-Identifier: BSD-2-Clause
// The back end of a serial port of the guest: two rings of bytes shared with another component.
#pragma once

#include <vmm/device/uart.h>

#include <nacre/protocol/console.h>

struct terminal {
	bool connected; // false without a console region: output is lost, input never comes
	struct console_end console;
	void (*signal)(void *context); // notifies the other component
	void *context;
	unsigned unsignalled; // bytes written since the last signal
	bool line_open; // the last byte was not a line end
	struct console *shared;
	uint32_t breaks; // those taken so far
};

// Joins the console in a region, null for none.
void terminal_open(
	struct terminal *terminal, struct console *console, const char *name, uint32_t kind);
[[nodiscard]] struct uart_backend terminal_backend(struct terminal *terminal);
// Writes a line of text, beginning on a new line.
void terminal_write(void *terminal, const char *text);
// Notifies the driver of new bytes, if it waits for them.
void terminal_flush(struct terminal *terminal);
