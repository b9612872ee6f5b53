// SPDX-License-Identifier: BSD-2-Clause
// Formatted lines of a component on its console.
#include <components/print.h>

#include <stdarg.h>

#include <microkit.h>

#include <base/format.h>

#include <components/console.h>

// Patched by the composer: where this component's console is mapped.
uint64_t console_vaddr __attribute__((section(".data")));

// Written by print only; a component is one thread.
static bool console_opened;
static uint32_t bytes_lost;

static struct console *own_console(void) {
	struct console *console = (struct console *)console_vaddr;

	if (console && !console_opened) {
		console_open(console, microkit_name, CONSOLE_PLAIN);
		console_opened = true;
	}
	return console;
}

static void put(struct format_sink *sink, char character) {
	struct console *console = own_console();

	(void)sink;
	if (!console)
		microkit_dbg_putc(character);
	else if (!ring_put(&console->out, (uint8_t)character))
		bytes_lost++;
}

static void emit(const char *format, va_list arguments) {
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

	if (bytes_lost > 0 && ring_free(&own_console()->out) > 64) {
		uint32_t lost = bytes_lost;

		bytes_lost = 0;
		emit_line("\n(%u bytes lost)\n", lost);
	}
	va_start(arguments, format);
	emit(format, arguments);
	va_end(arguments);
	if (console_vaddr) microkit_notify(CONSOLE_CHANNEL);
}
