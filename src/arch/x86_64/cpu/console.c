// SPDX-License-Identifier: BSD-2-Clause
// A 16550 by polling, and the screen: the console must work before and after everything else, and
// in a panic.
#include <cpu/console.h>

#include <base/format.h>
#include <cpu/platform.h>

enum {
	DEBUG_PORT = 0xe9, // emulators print what is written there
	POST_PORT = 0x80, // mainboards have two digits for it
};

static struct console *this_console(void) { return &this_cpu()->platform->console; }

bool console_prints_debug(void) { return !this_console()->is_quiet; }

void console_init(uint16_t port) {
	// Register and value: no interrupts, divisor 1, 8N1, FIFO on and empty, DTR and RTS.
	static const uint8_t writes[][2] = {
		{1, 0}, {3, 0x80}, {0, 1}, {1, 0}, {3, 0x03}, {2, 0x07}, {4, 0x03}};

	struct console *console = this_console();

	console->is_ready = true;
	// All ones: nothing decodes these ports.
	if (!port || io_in8((uint16_t)(port + UART_LINE_STATUS)) == 0xff) return;
	console->port = port;
	for (unsigned i = 0; i < array_count(writes); i++)
		io_out8((uint16_t)(port + writes[i][0]), writes[i][1]);
}

void console_step(uint8_t code, const char *name) {
	this_console()->step = name;
	io_out8(POST_PORT, code);
}

static void uart_put(char character) {
	struct console *console = this_console();
	unsigned tries = console->is_stuck ? 1 : CONSOLE_TRIES;

	if (!console->port) return;
	while (tries && !(io_in8((uint16_t)(console->port + UART_LINE_STATUS)) & LSR_HOLDING_EMPTY))
		tries--;
	console->is_stuck = !tries;
	if (tries) io_out8((uint16_t)(console->port + UART_DATA), (uint8_t)character);
}

static void console_put(struct format_sink *, char character) {
	if (this_cpu()->is_silent) return;
	if (!this_console()->is_ready)
		console_init(CONSOLE_DEFAULT_PORT); // a panic before the options are known
	if (character == '\n') uart_put('\r');
	uart_put(character);
	screen_put(&this_console()->screen, character);
	if (NACRE_DEBUG) io_out8(DEBUG_PORT, (uint8_t)character);
}

void console_print(const char *format, va_list arguments) {
	struct format_sink console = {.put = console_put};

	format_emit(&console, format, arguments);
}

void print(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	console_print(format, arguments);
	va_end(arguments);
}
