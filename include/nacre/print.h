// SPDX-License-Identifier: BSD-2-Clause
// Formatted lines of a component on its console. Unless the description gives it one (symbol
// console_vaddr, channel CONSOLE_CHANNEL to the serial port driver) they go to the kernel's.
#pragma once

#include <sel4/macros.h>

enum {
	CONSOLE_CHANNEL = 0,
};

SEL4_C_BEGIN

// Text is shown when its line is complete. When the console is full, text is lost and a message
// says how much.
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);

SEL4_C_END
