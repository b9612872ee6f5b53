// SPDX-License-Identifier: BSD-2-Clause
// Configuration registers of PCI functions: their names (PCI Local Bus specification 3.0, chapter
// 6; PCI-to-PCI Bridge specification 1.2, chapter 3) and the two ways to access them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum pci_register {
	PCI_REGISTER_VENDOR = 0x00,
	PCI_REGISTER_DEVICE = 0x02,
	PCI_REGISTER_COMMAND = 0x04,
	PCI_REGISTER_STATUS = 0x06,
	PCI_REGISTER_CLASS = 0x08, // revision in the low byte, class in the others
	PCI_REGISTER_CACHE_LINE = 0x0c,
	PCI_REGISTER_LATENCY = 0x0d,
	PCI_REGISTER_HEADER = 0x0e,
	PCI_REGISTER_BAR = 0x10,
	PCI_REGISTER_SECONDARY_BUS = 0x19, // of a bridge, as the next two
	PCI_REGISTER_MEMORY_BASE = 0x20,
	PCI_REGISTER_MEMORY_LIMIT = 0x22,
	PCI_REGISTER_CAPABILITIES = 0x34,
	PCI_REGISTER_INTERRUPT_LINE = 0x3c,
	PCI_REGISTER_INTERRUPT_PIN = 0x3d,
	PCI_REGISTER_OWN = 0x40, // from here on registers are device specific

	PCI_COMMAND_PORTS = 1 << 0,
	PCI_COMMAND_MEMORY = 1 << 1,
	PCI_COMMAND_BUS_MASTER = 1 << 2,
	PCI_COMMAND_NO_INTX = 1 << 10,
	PCI_STATUS_CAPABILITIES = 1 << 4,
	PCI_HEADER_KIND = 0x7f,
	PCI_HEADER_MANY_FUNCTIONS = 0x80,
	PCI_HEADER_DEVICE = 0,
	PCI_HEADER_BRIDGE = 1,
	PCI_CAPABILITY_MSI = 0x05,
	PCI_CAPABILITY_MSIX = 0x11,
	PCI_NO_VENDOR = 0xffff,

	PCI_CLASS_HOST_BRIDGE = 0x0600, // class and subclass
	PCI_SPACE = 256, // bytes of registers; 4096 through memory
	PCI_SPACE_EXTENDED = 4096,
};

// A function is bus << 8 | device << 3 | function. The offset is a multiple of the width.
struct pci_config {
	uint32_t (*read)(uint16_t function, unsigned offset, unsigned width);
	void (*write)(uint16_t function, unsigned offset, unsigned width, uint32_t value);
	unsigned space; // bytes of registers of a function
	unsigned buses;
};

// Ports 0xcf8 and 0xcfc.
extern const struct pci_config pci_config_ports;

// Registers in memory (PCI Express, ECAM): a megabyte for each bus from bus 0 on.
struct pci_config pci_config_memory(uint64_t vaddr, uint64_t size);

static inline uint8_t pci_read8(
	const struct pci_config *config, uint16_t function, unsigned offset) {
	return (uint8_t)config->read(function, offset, 1);
}

static inline uint16_t pci_read16(
	const struct pci_config *config, uint16_t function, unsigned offset) {
	return (uint16_t)config->read(function, offset, 2);
}

static inline uint32_t pci_read32(
	const struct pci_config *config, uint16_t function, unsigned offset) {
	return config->read(function, offset, 4);
}
