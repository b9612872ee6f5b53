// SPDX-License-Identifier: BSD-2-Clause
// Formatted lines of a component on its console.
#include <nacre/print.h>

#include <stdarg.h>

#include <microkit.h>

#include <base/format.h>

#include <nacre/protocol/console.h>

// Patched by the composer: where this component's console is mapped.
uint64_t console_vaddr __attribute__((section(".data")));

// Written by print only; a component is one thread.
static struct console_end console;
static bool console_opened;
static uint32_t bytes_lost;

static bool has_console(void) {
	if (!console_opened)
		console_opened = console_open(
			&console, (struct console *)console_vaddr, microkit_name, CONSOLE_PLAIN);
	return console_opened;
}

static void put(struct format_sink *, char character) {
	if (!has_console())
		microkit_dbg_putc(character);
	else if (!ring_put(&console.out, &character))
		bytes_lost++;
}

[[gnu::format(printf, 1, 0)]] static void emit(const char *format, va_list arguments) {
	struct format_sink sink = {put};

	format_emit(&sink, format, arguments);
}

[[gnu::format(printf, 1, 2)]] static void emit_line(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	emit(format, arguments);
	va_end(arguments);
}

void print(const char *format, ...) {
	va_list arguments;

	if (bytes_lost > 0 && ring_room(&console.out) > 64) {
		uint32_t lost = bytes_lost;

		bytes_lost = 0;
		emit_line("\n(%u bytes lost)\n", lost);
	}
	va_start(arguments, format);
	emit(format, arguments);
	va_end(arguments);
	if (has_console() && ring_must_notify(&console.out)) microkit_notify(CONSOLE_CHANNEL);
}
