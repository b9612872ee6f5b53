// SPDX-License-Identifier: BSD-2-Clause
// The interrupt fabric: the only way from a device to a CPU of the guest.
//
//	device -> line -> I/O APIC -> message-signalled interrupt
//	device that speaks MSI -----> message-signalled interrupt -> APIC message
//	local APIC, to others or itself (IPI) ---------------------> APIC message -> local APICs
//
// Controllers are parts of the machine and linked here, any number of each.
#pragma once

#include <stdint.h>

#include <x86/apic.h>

struct lapic;
struct ioapic;

struct fabric {
	struct lapic *lapics;
	struct ioapic *ioapics;
};

enum apic_delivery {
	DELIVERY_FIXED = 0,
	DELIVERY_LOWEST = 1,
	DELIVERY_SMI = 2,
	DELIVERY_NMI = 4,
	DELIVERY_INIT = 5,
	DELIVERY_STARTUP = 6,
	DELIVERY_EXTERNAL = 7,
};

enum apic_trigger {
	TRIGGER_EDGE,
	TRIGGER_LEVEL,
};

enum apic_destination {
	DESTINATION_PHYSICAL,
	DESTINATION_LOGICAL,
	DESTINATION_ALL,
	DESTINATION_ALL_BUT, // the APIC whose number `destination` is
};

// The physical destination that means every APIC, in either mode: the xAPIC's own FFh is but the
// number of one CPU in x2APIC mode.
#define APIC_EVERY UINT32_MAX

// An interrupt on its way to local APICs.
struct apic_message {
	uint32_t destination;
	enum apic_destination destination_mode;
	enum apic_delivery delivery;
	enum apic_trigger trigger;
	uint8_t vector;
};

// The address and data of a message-signalled interrupt (SDM 3A 11.11). An entry of an I/O
// APIC has the same data, and the destination in the same bits.
enum msi {
	MSI_LOGICAL = 1 << 2,
	MSI_VECTOR = 0xff,
	MSI_DELIVERY_SHIFT = 8,
	MSI_LEVEL = 1 << 15,
};

void fabric_add_lapic(struct fabric *fabric, struct lapic *lapic);
void fabric_add_ioapic(struct fabric *fabric, struct ioapic *ioapic);
// Sends a message to the local APICs it names; of a message with lowest priority to one of them.
void fabric_send(struct fabric *fabric, const struct apic_message *message);
// What a device writes for an interrupt. Writes to other addresses are none.
void fabric_msi(struct fabric *fabric, uint64_t address, uint32_t data);
// A CPU has ended a level-triggered interrupt.
void fabric_end_of_interrupt(struct fabric *fabric, uint8_t vector);
