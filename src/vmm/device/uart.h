// SPDX-License-Identifier: BSD-2-Clause
// 16550A serial port: registers, 16-byte receive FIFO, one interrupt line, a backend for the bytes.
#pragma once

#include <vmm/bus/bus.h>
#include <vmm/irq/line.h>

// The other end of the cable.
struct uart_backend {
	void *context;
	bool (*ready)(void *context); // a byte may be sent now
	void (*put)(void *context, uint8_t byte); // called when ready only, or the byte is lost
	bool (*get)(void *context, uint8_t *byte);
	// Whether a BREAK is what comes next.
	bool (*take_break)(void *context);
};

enum { UART_FIFO = 16, UART_COUNT = 2 };

struct uart {
	struct uart_backend backend;
	struct line line;
	struct bus_window window;
	uint8_t interrupt_enable;
	uint8_t fifo_control;
	uint8_t line_control;
	uint8_t modem_control;
	uint8_t modem_delta; // MSR bits 3..0, cleared by reading it
	uint8_t scratch;
	uint8_t divisor[2];
	uint8_t fifo[UART_FIFO];
	uint8_t fifo_first;
	uint8_t fifo_count;
	uint16_t breaks; // places of the FIFO whose character is a BREAK
	bool overrun;
	bool transmit_pending; // THR-empty interrupt not yet acknowledged
	bool transmit_blocked; // a write found the backend full; cleared when it drains
};

// Where COM1 and COM2 are in a PC.
struct uart_place {
	uint16_t ports;
	uint8_t pin; // of the I/O APIC
};
extern const struct uart_place uart_places[UART_COUNT];

// Answers on the bus; false if something else does there.
[[nodiscard]] bool uart_attach(struct uart *uart, struct bus *ports, uint16_t base);
void uart_reset(struct uart *uart);
// Fetches input, notices that the backend has room again, and brings the line up to date.
void uart_poll(struct uart *uart);
