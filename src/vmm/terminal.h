// SPDX-License-Identifier: BSD-2-Clause
// The far end of a serial port of the guest: two rings of bytes shared with another component.
#pragma once

#include <vmm/device/uart.h>

#include <components/console.h>

struct terminal {
	bool connected; // false without a console region: output is lost, input never comes
	struct console_end console;
	void (*signal)(void);
	unsigned unsignalled; // bytes written since the last signal
	bool line_open; // the last byte was not a line end
};

[[nodiscard]] struct uart_backend terminal_backend(struct terminal *terminal);
// Writes a line of text, beginning on a new line.
void terminal_write(void *terminal, const char *text);
// Tells the driver about bytes it has not been told of.
void terminal_flush(struct terminal *terminal);
