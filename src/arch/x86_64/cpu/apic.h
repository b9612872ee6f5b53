// SPDX-License-Identifier: BSD-2-Clause
// The local APIC of this core, as xAPIC or x2APIC (SDM 3A, chapter 11), and the I/O APICs.
#pragma once

#include <cpu/acpi.h>

// Enables the local APIC. Returns the physical address of its page, as the CPU reports it, not a
// table.
uint64_t apic_init(void);

// Lets interrupts in, which apic_init holds back on other cores than the first.
void apic_open(void);

uint32_t apic_id(void);
void apic_end_of_interrupt(void);

// Sends an interrupt, by bits of the command register, to the core whose APIC has this id.
void apic_send(uint32_t id, uint32_t command);

// One-shot timer in the APIC's own ticks; count 0 stops it.
void apic_timer_start(uint32_t count);
uint32_t apic_timer_left(void);

// Puts the timer in TSC-deadline mode: from now on MSR_TSC_DEADLINE is the timer. And back.
void apic_timer_use_deadline(void);
void apic_timer_use_one_shot(void);

// True if the timer's interrupt waits for the kernel to allow interrupts.
[[nodiscard]] bool apic_timer_is_pending(void);

// Errors since the last call: the error status register.
uint32_t apic_take_errors(void);

// True while the kernel has to send an end of interrupt for the vector.
[[nodiscard]] bool apic_is_in_service(unsigned vector);

// True if an interrupt is pending while the kernel has interrupts off.
[[nodiscard]] bool apic_is_pending(void);

// The preemption point of long work: true if it should stop, for a pending interrupt or another
// core that waits for its turn. Reads the hardware only every few calls, so it may be used in inner
// loops.
[[nodiscard]] bool preempt_wanted(void);

// I/O APICs (ioapic.c): from pins to vectors.

struct ioapic {
	volatile uint32_t *page;
	unsigned pins;
	uint32_t source; // number of the device that its interrupts come from (cpu/iommu.h)
	uint8_t id; // in firmware's tables
	uint32_t is_taken; // between the two accesses that reach a register
};

// Moves the 8259 pair out of the way of exceptions and masks it; even so it may raise spurious
// interrupts, which trap.c drops. Before apic_init closes LINT0, so that a request the pair has
// raised already is taken back.
void pic_silence(void);

// Takes over an I/O APIC, if there is one, with every pin masked. ACPI_MAX_IOAPICS at most.
void ioapic_add(const struct acpi_ioapic *found);

unsigned ioapic_count(void);
unsigned ioapic_pins(unsigned ioapic); // which exists

// The words of a pin, which exists (x86/ioapic.h): where its interrupts come to, and the rest.
void ioapic_set_target(unsigned ioapic, unsigned pin, uint32_t high);
void ioapic_set_route(unsigned ioapic, unsigned pin, uint32_t low);
