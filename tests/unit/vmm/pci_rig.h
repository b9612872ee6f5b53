// SPDX-License-Identifier: BSD-2-Clause
// A PCI bus with two functions, on buses and interrupt controllers of a machine, for unit tests.
#pragma once

#include <vmm/irq/ioapic.h>
#include <vmm/irq/lapic.h>
#include <vmm/pci/host.h>

enum {
	SLOT = 3,
	OTHER = 11, // shares its pin
	HIGH_BAR = 0, // 64 bits, with the MSI-X table
	LOW_BAR = 2,
	PORT_BAR = 3,
	HIGH_SIZE = 0x4000,
	LOW_SIZE = 0x1000,
	PORTS = 0x20,
	TABLE = 0x2000,
	VECTORS = 3,
	COMMAND = 4,
	BOTH = PCI_COMMAND_PORTS | PCI_COMMAND_MEMORY,
	ALL = BOTH | PCI_COMMAND_BUS_MASTER,
	PIN = 19,
	VECTOR = 0x41,
	LINE_VECTOR = 0x51,
};

struct probe {
	unsigned bar, reads, writes, registers_read, registers_written;
	uint64_t offset, value;
	unsigned changed; // offset of the register written last
};

extern struct bus memory, ports;
extern struct lapic lapic;
extern struct ioapic ioapic;
extern struct pci_host host;
extern struct pci_function function, other; // in SLOT and OTHER
extern struct probe probe, other_probe; // their devices
extern unsigned own; // offset of the capability of the probe's own
extern uint8_t beside; // written last to port CF9h

// Everything anew, after reset.
void fresh(void);
// A register's address in memory.
uint64_t place(unsigned slot, unsigned offset);
uint32_t get(unsigned slot, unsigned offset);
void set(unsigned slot, unsigned offset, uint32_t value);
void command(unsigned slot, uint16_t value);
void move(unsigned slot, unsigned bar, uint64_t base);
// Whether the BAR of the probe answers at the address.
bool answers(const struct probe *wanted, struct bus *bus, unsigned bar, uint64_t address);
