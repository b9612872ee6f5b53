// SPDX-License-Identifier: BSD-2-Clause
// The host bridge: bus 0 with its functions, one in each slot, and the two ways to their registers,
// ports (PCI 3.0 3.2.2.3.2) and memory (ECAM, PCI Express 5.0 7.2.2). Their interrupt lines lead to
// pins of the I/O APIC, as layout.h says.
#pragma once

#include <vmm/irq/fabric.h>
#include <vmm/pci/function.h>
#include <vmm/pci/layout.h>

enum { PCI_SLOTS = 32 };

struct pci_host {
	struct bus *memory, *ports; // where BARs answer
	struct bus beside; // has what at the two ports is no access to registers
	struct fabric *fabric;
	struct line lines[PCI_PINS]; // shared by slots
	struct bus_window port_window, memory_window;
	struct pci_function *slots[PCI_SLOTS]; // null: empty
	struct pci_function bridge; // in slot 0
	uint32_t levels; // of the slots' lines
	uint32_t address; // of the register at the data port
};

// Answers on both buses, with messages by the fabric; false if something else does there.
[[nodiscard]] bool pci_host_attach(
	struct pci_host *host, struct bus *memory, struct bus *ports, struct fabric *fabric);
// Puts a described function into a slot from 1 on; false if there is one, or no such slot.
[[nodiscard]] bool pci_host_add(
	struct pci_host *host, unsigned slot, struct pci_function *function);
// Resets the bridge and the registers of all functions, not their devices.
void pci_host_reset(struct pci_host *host);
// A place has become free, or a BAR wants one.
void pci_host_map(struct pci_host *host);
