// SPDX-License-Identifier: BSD-2-Clause
// The 16550 at COM1, through I/O port capability 0.
#include <drivers/serial/uart.h>

#include <microkit.h>

enum {
	PORT_ID = 0,
	COM1 = 0x3f8,
};

enum uart_register {
	RBR = 0, // receive buffer
	THR = 0, // transmit holding
	DLL = 0, // divisor latch, when LCR.DLAB is set
	DLM = 1,
	IER = 1,
	IIR = 2,
	FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
};

enum {
	IER_RECEIVED = 1 << 0,
	IER_TRANSMITTER_EMPTY = 1 << 1,
	IIR_NONE_PENDING = 1 << 0,
	FCR_ENABLE_AND_CLEAR = 0x07,
	LCR_8N1 = 0x03,
	LCR_DLAB = 1 << 7,
	MCR_DTR_RTS_OUT2 = 0x0b, // OUT2 lets the interrupt through
	LSR_DATA_READY = 1 << 0,
	LSR_TRANSMITTER_EMPTY = 1 << 5,
	DIVISOR_115200 = 1,
};

static uint8_t read(enum uart_register index) {
	return microkit_x86_ioport_read_8(PORT_ID, COM1 + index);
}

static void write(enum uart_register index, uint8_t value) {
	microkit_x86_ioport_write_8(PORT_ID, COM1 + index, value);
}

void uart_init(void) {
	write(IER, 0);
	write(LCR, LCR_DLAB);
	write(DLL, DIVISOR_115200);
	write(DLM, 0);
	write(LCR, LCR_8N1);
	write(FCR, FCR_ENABLE_AND_CLEAR);
	write(MCR, MCR_DTR_RTS_OUT2);
	write(IER, IER_RECEIVED);
}

bool uart_interrupt_pending(void) { return !(read(IIR) & IIR_NONE_PENDING); }

bool uart_receive(uint8_t *character) {
	if (!(read(LSR) & LSR_DATA_READY)) return false;
	*character = read(RBR);
	return true;
}

bool uart_can_transmit(void) { return read(LSR) & LSR_TRANSMITTER_EMPTY; }

void uart_transmit(uint8_t character) { write(THR, character); }

void uart_watch_transmitter(void) { write(IER, IER_RECEIVED | IER_TRANSMITTER_EMPTY); }

void uart_ignore_transmitter(void) { write(IER, IER_RECEIVED); }
