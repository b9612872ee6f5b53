// SPDX-License-Identifier: BSD-2-Clause
// Interrupts as objects: vector to notification (semantics.md M).
#pragma once

#include <kernel/cap.h>

// Where interrupts come from; messages are MSIs.
enum irq_state { IRQ_FREE, IRQ_IOAPIC, IRQ_MESSAGE };

struct irq {
	struct slot notification; // copy of the capability to signal, or empty
	uint8_t state; // enum irq_state
	uint8_t ioapic;
	uint8_t pin;
};

// A device interrupt arrived for user vector number, 0..107: signals, masks the pin (M5, M6).
void irq_arrived(unsigned number);
