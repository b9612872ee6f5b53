// SPDX-License-Identifier: BSD-2-Clause
// The debug console: a 16550 at a chosen port, and port 0xE9 in the debug build.
#pragma once

#include <stdint.h>

enum {
	SERIAL_DEFAULT_PORT = 0x3f8,
};

// Port 0: no console. 115200 8N1.
void serial_init(uint16_t port);

// One character; a line feed gets a carriage return before it.
void serial_put(char character);
