// SPDX-License-Identifier: BSD-2-Clause
// print() for the kernel: the formatter's characters go straight to the console.
#include <cpu/print.h>

#include <base/format.h>
#include <cpu/serial.h>

static void console_put(struct format_sink *sink, char character) {
	(void)sink;
	serial_put(character);
}

void print(const char *format, ...) {
	struct format_sink console = {.put = console_put};
	va_list arguments;

	va_start(arguments, format);
	format_emit(&console, format, arguments);
	va_end(arguments);
}
