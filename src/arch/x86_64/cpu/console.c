// SPDX-License-Identifier: BSD-2-Clause
// 16550 output by polling: the console must work before and after everything else, and in a panic.
#include <cpu/console.h>

#include <base/format.h>
#include <base/panic.h>
#include <cpu/registers.h>

enum uart_register {
	UART_DATA = 0,
	UART_DIVISOR_LOW = 0,
	UART_INTERRUPT_ENABLE = 1,
	UART_DIVISOR_HIGH = 1,
	UART_FIFO_CONTROL = 2,
	UART_LINE_CONTROL = 3,
	UART_MODEM_CONTROL = 4,
	UART_LINE_STATUS = 5,
};

enum uart_bit {
	UART_LINE_8N1 = 0x03,
	UART_LINE_DIVISOR = 0x80,
	UART_FIFO_ON_CLEAR = 0x07,
	UART_MODEM_DTR_RTS = 0x03,
	UART_STATUS_ROOM = 0x20,
};

enum {
	DEBUG_PORT = 0xe9, // emulators print what is written there
	ROOM_TRIES = 100000, // a character takes 87 us; a port read about 1 us
};

// Written by console_init only.
static uint16_t base;
static bool is_ready;

// Written by uart_put only: 1 while the UART takes nothing.
static unsigned patience = ROOM_TRIES;

// Written by console_traces_off only.
static bool is_traceless;

bool console_traces(void) { return !is_traceless; }

void console_traces_off(void) { is_traceless = true; }

static void uart_write(enum uart_register offset, uint8_t value) {
	io_out8((uint16_t)(base + offset), value);
}

void console_init(uint16_t port) {
	is_ready = true;
	// All ones: nothing decodes these ports.
	if (!port || io_in8((uint16_t)(port + UART_LINE_STATUS)) == 0xff) return;
	base = port;
	uart_write(UART_INTERRUPT_ENABLE, 0);
	uart_write(UART_LINE_CONTROL, UART_LINE_DIVISOR);
	uart_write(UART_DIVISOR_LOW, 1);
	uart_write(UART_DIVISOR_HIGH, 0);
	uart_write(UART_LINE_CONTROL, UART_LINE_8N1);
	uart_write(UART_FIFO_CONTROL, UART_FIFO_ON_CLEAR);
	uart_write(UART_MODEM_CONTROL, UART_MODEM_DTR_RTS);
}

static void uart_put(char character) {
	if (!base) return;
	for (unsigned i = 0; i < patience; i++) {
		if (!(io_in8((uint16_t)(base + UART_LINE_STATUS)) & UART_STATUS_ROOM)) continue;
		patience = ROOM_TRIES;
		uart_write(UART_DATA, (uint8_t)character);
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
