// SPDX-License-Identifier: BSD-2-Clause
// I/O APIC with 24 pins: turns levels on its pins into message-signalled interrupts.
#pragma once

#include <vmm/bus/bus.h>
#include <vmm/irq/fabric.h>
#include <vmm/irq/line.h>

enum { IOAPIC_PINS = 24 };
#define IOAPIC_ADDRESS 0xfec00000u

struct ioapic {
	struct fabric *fabric;
	struct ioapic *next; // of the fabric's
	struct bus_window window;
	uint64_t redirection[IOAPIC_PINS];
	uint32_t id;
	uint8_t select;
	uint32_t levels; // pins that are high now
	uint32_t latched; // edges seen and not yet sent
};

// Answers on the bus; false if something else does there.
[[nodiscard]] bool ioapic_attach(struct ioapic *ioapic, struct bus *memory);
void ioapic_reset(struct ioapic *ioapic);
// The input of a struct line.
void ioapic_pin_changed(void *ioapic, unsigned pin, enum line_level level);
// The end-of-interrupt message of a level-triggered vector.
void ioapic_end_of_interrupt(struct ioapic *ioapic, uint8_t vector);
