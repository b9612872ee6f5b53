// SPDX-License-Identifier: BSD-2-Clause
// 16550 output by polling: the console must work before and after everything else, and in a panic.
#include <cpu/console.h>

#include <base/compiler.h>
#include <base/format.h>
#include <cpu/registers.h>

enum uart_register { UART_DATA = 0, UART_LINE_STATUS = 5 };

enum uart_bit { UART_STATUS_ROOM = 0x20 };

enum {
	DEBUG_PORT = 0xe9, // emulators print what is written there
	ROOM_TRIES = 100000, // a character takes 87 us; a port read about 1 us
};

// Written by console_init only.
static uint16_t base;
static bool is_ready;

// Written by uart_put only: 1 while the UART takes nothing.
static unsigned patience = ROOM_TRIES;

bool console_is_traceless;

void console_init(uint16_t port) {
	// Register and value: no interrupts, divisor 1, 8N1, FIFO on and empty, DTR and RTS.
	static const uint8_t writes[][2] = {
		{1, 0}, {3, 0x80}, {0, 1}, {1, 0}, {3, 0x03}, {2, 0x07}, {4, 0x03}};

	is_ready = true;
	// All ones: nothing decodes these ports.
	if (!port || io_in8((uint16_t)(port + UART_LINE_STATUS)) == 0xff) return;
	base = port;
	for (unsigned i = 0; i < array_count(writes); i++)
		io_out8((uint16_t)(base + writes[i][0]), writes[i][1]);
}

static void uart_put(char character) {
	if (!base) return;
	for (unsigned i = 0; i < patience; i++) {
		if (!(io_in8((uint16_t)(base + UART_LINE_STATUS)) & UART_STATUS_ROOM)) continue;
		patience = ROOM_TRIES;
		io_out8((uint16_t)(base + UART_DATA), (uint8_t)character);
		return;
	}
	patience = 1;
}

static void console_put(struct format_sink *, char character) {
	if (!is_ready) console_init(CONSOLE_DEFAULT_PORT); // a panic before the options are known
	if (character == '\n') uart_put('\r');
	uart_put(character);
	if (NACRE_DEBUG) io_out8(DEBUG_PORT, (uint8_t)character);
}

static struct format_sink console = {.put = console_put}; // never written

void print(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	format_emit(&console, format, arguments);
	va_end(arguments);
}

void panic(const char *format, ...) {
	va_list arguments;

	asm volatile("cli");
	print("\nkernel panic: ");
	va_start(arguments, format);
	format_emit(&console, format, arguments);
	va_end(arguments);
	print("\n  called from %p, cr2 %lx cr3 %lx cr4 %lx\n", __builtin_return_address(0),
		cr2_read(), cr3_read(), cr4_read());
	cpu_stop();
}
