// SPDX-License-Identifier: BSD-2-Clause
// Registers of a 16550A and their bits (National PC16550D data sheet, section 8).
#pragma once

enum uart_register {
	UART_DATA, // RBR and THR; divisor low with DLAB
	UART_INTERRUPT_ENABLE, // divisor high with DLAB
	UART_INTERRUPT_IDENTITY, // FCR when written
	UART_LINE_CONTROL,
	UART_MODEM_CONTROL,
	UART_LINE_STATUS,
	UART_MODEM_STATUS,
	UART_SCRATCH,
	UART_REGISTERS,
};

enum uart_bit {
	IER_RECEIVED = 1 << 0,
	IER_TRANSMIT_EMPTY = 1 << 1,
	IER_LINE_STATUS = 1 << 2,
	IER_MODEM_STATUS = 1 << 3,

	IIR_NONE = 0x01,
	IIR_MODEM_STATUS = 0x00,
	IIR_TRANSMIT_EMPTY = 0x02,
	IIR_RECEIVED = 0x04,
	IIR_LINE_STATUS = 0x06,
	IIR_TIMEOUT = 0x0c,
	IIR_FIFO_ENABLED = 0xc0,

	FCR_ENABLE = 1 << 0,
	FCR_CLEAR_RECEIVE = 1 << 1,
	FCR_CLEAR_TRANSMIT = 1 << 2,

	LCR_8N1 = 0x03,
	LCR_DIVISOR_ACCESS = 1 << 7,

	MCR_DTR = 1 << 0,
	MCR_RTS = 1 << 1,
	MCR_OUT1 = 1 << 2,
	MCR_OUT2 = 1 << 3, // on a PC it lets the interrupt through
	MCR_LOOPBACK = 1 << 4,

	LSR_DATA_READY = 1 << 0,
	LSR_OVERRUN = 1 << 1,
	LSR_BREAK = 1 << 4,
	LSR_HOLDING_EMPTY = 1 << 5, // there is room for a byte, or in FIFO mode for all of them
	LSR_TRANSMITTER_EMPTY = 1 << 6,
	LSR_FIFO_ERROR = 1 << 7,
};
