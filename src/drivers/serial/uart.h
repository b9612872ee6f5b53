// SPDX-License-Identifier: BSD-2-Clause
// The 16550 at COM1. Names are those of the PC16550D data sheet.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	UART_FIFO_SIZE = 16,
};

// False where there is none: then nothing is received, and what is sent is lost.
[[nodiscard]] bool uart_init(void);

// The interrupt's cause; call until it returns false, so that the next edge is seen.
[[nodiscard]] bool uart_interrupt_pending(void);

// The next received character; false when there is none.
[[nodiscard]] bool uart_receive(uint8_t *character);

// Whether the whole transmit FIFO is free.
[[nodiscard]] bool uart_can_transmit(void);
void uart_transmit(uint8_t character);

// Interrupt when the transmit FIFO is empty. Enabled while there is more to send.
void uart_watch_transmitter(void);
void uart_ignore_transmitter(void);
