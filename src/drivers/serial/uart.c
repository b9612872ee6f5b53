// SPDX-License-Identifier: BSD-2-Clause
// The 16550 at COM1, through I/O port capability 0.
#include <drivers/serial/uart.h>

#include <microkit.h>
#include <x86/uart.h>

enum {
	PORT_ID = 0,
	COM1 = 0x3f8,
};

enum { DIVISOR_115200 = 1, NOTHING_THERE = 0xff };

static bool is_there; // written by uart_init only

static uint8_t read(enum uart_register index) {
	return microkit_x86_ioport_read_8(PORT_ID, COM1 + index);
}

static void write(enum uart_register index, uint8_t value) {
	microkit_x86_ioport_write_8(PORT_ID, COM1 + index, value);
}

// All ones: nothing decodes these ports.
bool uart_init(void) {
	is_there = read(UART_LINE_STATUS) != NOTHING_THERE;
	write(UART_INTERRUPT_ENABLE, 0);
	write(UART_LINE_CONTROL, LCR_DIVISOR_ACCESS);
	write(UART_DATA, DIVISOR_115200);
	write(UART_INTERRUPT_ENABLE, 0);
	write(UART_LINE_CONTROL, LCR_8N1);
	write(UART_INTERRUPT_IDENTITY, FCR_ENABLE | FCR_CLEAR_RECEIVE | FCR_CLEAR_TRANSMIT);
	write(UART_MODEM_CONTROL, MCR_DTR | MCR_RTS | MCR_OUT2);
	write(UART_INTERRUPT_ENABLE, IER_RECEIVED);
	return is_there;
}

bool uart_interrupt_pending(void) {
	return is_there && !(read(UART_INTERRUPT_IDENTITY) & IIR_NONE);
}

bool uart_receive(uint8_t *character) {
	if (!is_there || !(read(UART_LINE_STATUS) & LSR_DATA_READY)) return false;
	*character = read(UART_DATA);
	return true;
}

bool uart_can_transmit(void) { return read(UART_LINE_STATUS) & LSR_HOLDING_EMPTY; }

void uart_transmit(uint8_t character) { write(UART_DATA, character); }

void uart_watch_transmitter(void) {
	write(UART_INTERRUPT_ENABLE, IER_RECEIVED | IER_TRANSMIT_EMPTY);
}

void uart_ignore_transmitter(void) { write(UART_INTERRUPT_ENABLE, IER_RECEIVED); }
