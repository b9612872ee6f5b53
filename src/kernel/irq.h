// SPDX-License-Identifier: BSD-2-Clause
// Interrupts as objects: vector to notification (semantics.md M).
#pragma once

#include <kernel/cap.h>

enum irq_state {
	IRQ_FREE,
	IRQ_RESERVED, // the kernel's own
	IRQ_IOAPIC,
	IRQ_MESSAGE, // MSI
};

struct irq {
	struct slot notification; // copy of the capability to signal, or empty
	uint8_t state; // enum irq_state
	uint8_t ioapic;
	uint8_t pin;
	uint8_t vector; // 0..107
};

// A device interrupt arrived for user vector number: signals, masks the pin (M5, M6).
void irq_arrived(unsigned number);

// The object of a user vector, 0..107.
struct irq *irq_of(unsigned number);

// object_ops destroy of IRQ_HANDLER: the last handler gone, the vector is free again (M4).
void irq_handler_destroy(struct slot *slot, bool last);
