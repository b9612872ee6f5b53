// SPDX-License-Identifier: BSD-2-Clause
// Formatted text on the kernel's debug console, character by character.
#include <user/print.h>

#include <base/format.h>

#include <sel4/sel4.h>

static void put_to_console(char character) { seL4_DebugPutChar(character); }

static void put_nowhere(char character) { (void)character; }

// Written by print_to only.
static void (*put)(char character) = put_to_console;

void print_to(void (*function)(char character)) { put = function; }

void print_silence(void) { print_to(put_nowhere); }

static void put_one(struct format_sink *, char character) { put(character); }

void print_list(const char *format, va_list arguments) {
	struct format_sink sink = {put_one};

	format_emit(&sink, format, arguments);
}

void print(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	print_list(format, arguments);
	va_end(arguments);
}
