// SPDX-License-Identifier: BSD-2-Clause
// Formatted text on the kernel's debug console, character by character.
#include <user/print.h>

#include <stdbool.h>

#include <base/format.h>

#include <sel4/sel4.h>

// Written by print_silence only.
static bool silent;

void print_silence(void) { silent = true; }

static void put_to_console(struct format_sink *sink, char character) {
	(void)sink;
	if (!silent) seL4_DebugPutChar(character);
}

void print_list(const char *format, va_list arguments) {
	struct format_sink sink = {put_to_console};

	format_emit(&sink, format, arguments);
}

void print(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	print_list(format, arguments);
	va_end(arguments);
}
