// SPDX-License-Identifier: BSD-2-Clause
// Interrupts as objects: vector to notification (semantics.md M).
#pragma once

#include <kernel/cap.h>

enum irq_state {
	IRQ_FREE,
	IRQ_IOAPIC,
	IRQ_MESSAGE, // MSI
};

struct irq {
	struct slot notification; // copy of the capability to signal, or empty
	uint8_t state; // enum irq_state
	uint8_t ioapic;
	uint8_t pin;
};

// A device interrupt arrived for user vector number: signals, masks the pin (M5, M6).
void irq_arrived(unsigned number);

// The object of a user vector, 0..107.
struct irq *irq_of(unsigned number);
