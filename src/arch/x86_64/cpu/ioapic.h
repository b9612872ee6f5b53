// SPDX-License-Identifier: BSD-2-Clause
// I/O APICs: from pins to vectors of the boot core.
#pragma once

#include <cpu/acpi.h>

// Moves the 8259 pair out of the way of exceptions and masks it; even so it may raise spurious
// interrupts, which trap.c drops. Before apic_init closes LINT0, so that a request the pair has
// raised already is taken back.
void pic_silence(void);

// Takes over an I/O APIC, if one answers there, with every pin masked. ACPI_MAX_IOAPICS at most.
void ioapic_add(uint64_t address);

unsigned ioapic_count(void);
unsigned ioapic_pins(unsigned ioapic);

// Sends a pin, which exists, to a CPU vector of the boot core and unmasks it. level: 1 level, 0
// edge; polarity: 1 low, 0 high. Returns the pin's route, which the two functions below want, for
// reading it back from the chip is slow.
uint32_t ioapic_route(
	unsigned ioapic, unsigned pin, unsigned cpu_vector, unsigned level, unsigned polarity);

void ioapic_mask(unsigned ioapic, unsigned pin, uint32_t route);
void ioapic_unmask(unsigned ioapic, unsigned pin, uint32_t route);
