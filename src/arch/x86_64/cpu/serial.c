// SPDX-License-Identifier: BSD-2-Clause
// 16550 output by polling: the console must work before and after everything else.
#include <cpu/serial.h>

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

// Written by serial_init only.
static uint16_t base;

static void uart_write(enum uart_register offset, uint8_t value) {
	io_out8((uint16_t)(base + offset), value);
}

void serial_init(uint16_t port) {
	base = port;
	if (!port) return;
	if (io_in8((uint16_t)(port + UART_LINE_STATUS)) == 0xff) {
		base = 0; // nothing decodes these ports
		return;
	}
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
	for (unsigned i = 0; i < ROOM_TRIES; i++) {
		if (io_in8((uint16_t)(base + UART_LINE_STATUS)) & UART_STATUS_ROOM) break;
	}
	uart_write(UART_DATA, (uint8_t)character);
}

void serial_put(char character) {
	if (character == '\n') uart_put('\r');
	uart_put(character);
	if (NACRE_DEBUG) io_out8(DEBUG_PORT, (uint8_t)character);
}
