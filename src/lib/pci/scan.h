// SPDX-License-Identifier: BSD-2-Clause
// The functions on the buses of a machine, bridges included, and the memory and ports they decode.
// Pure: accesses the machine through struct pci_config only.
#pragma once

#include <lib/pci/config.h>
#include <nacre/protocol/pci.h>

enum {
	PCI_DEVICES = 64,
	PCI_ROOT = ~0, // in place of a bridge's index
};

struct pci_base {
	uint64_t address;
	uint64_t size; // 0: there is none, or it is the upper half of the one before
	uint32_t flags; // enum pci_bar_flags
};

struct pci_device {
	uint16_t function;
	uint16_t vendor;
	uint16_t device;
	uint8_t header;
	uint8_t interrupt_line; // what the firmware wrote
	uint8_t interrupt_pin;
	uint32_t class;
	int bridge; // index of the bridge it is behind, or PCI_ROOT
	struct pci_base bases[PCI_BARS];
};

struct pci_devices {
	unsigned count;
	unsigned missed; // found when the table was full
	struct pci_device rows[PCI_DEVICES];
};

// Scan bus 0 and behind each bridge that the firmware has numbered. Memory and ports of a device
// are disabled while its registers are sized: no driver may use devices meanwhile.
void pci_scan(const struct pci_config *config, struct pci_devices *devices);

// Set the address of a memory BAR, with the device's decoding disabled meanwhile.
void pci_base_move(
	const struct pci_config *config, struct pci_device *device, unsigned bar, uint64_t address);
