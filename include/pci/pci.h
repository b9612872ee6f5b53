// SPDX-License-Identifier: BSD-2-Clause
// Configuration registers of PCI functions (PCI Local Bus specification 3.0, chapter 6;
// PCI-to-PCI Bridge specification 1.2, chapter 3), and the two ways to them: ports (PCI 3.0
// 3.2.2.3.2) and memory (PCI Express 5.0, 7.2.2). For the kernel, drivers and the monitor's
// devices.
#pragma once

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
	PCI_REGISTER_SUBSYSTEM = 0x2c, // vendor, and its number in the upper half
	PCI_REGISTER_CAPABILITIES = 0x34,
	PCI_REGISTER_INTERRUPT_LINE = 0x3c,
	PCI_REGISTER_INTERRUPT_PIN = 0x3d,
	PCI_REGISTER_OWN = 0x40, // from here on registers are device specific

	PCI_COMMAND_PORTS = 1 << 0,
	PCI_COMMAND_MEMORY = 1 << 1,
	PCI_COMMAND_BUS_MASTER = 1 << 2,
	PCI_COMMAND_PARITY = 1 << 6,
	PCI_COMMAND_SYSTEM_ERROR = 1 << 8,
	PCI_COMMAND_NO_INTX = 1 << 10,
	PCI_STATUS_INTERRUPT = 1 << 3,
	PCI_STATUS_CAPABILITIES = 1 << 4,
	PCI_HEADER_KIND = 0x7f,
	PCI_HEADER_MANY_FUNCTIONS = 0x80,
	PCI_HEADER_DEVICE = 0,
	PCI_HEADER_BRIDGE = 1,
	PCI_BAR_IS_PORTS = 1 << 0, // low bits of a BAR
	PCI_BAR_IS_64_BIT = 1 << 2,
	PCI_BAR_IS_PREFETCHABLE = 1 << 3,
	PCI_CAPABILITY_MSI = 0x05,
	PCI_CAPABILITY_VENDOR = 0x09,
	PCI_CAPABILITY_EXPRESS = 0x10,
	PCI_CAPABILITY_MSIX = 0x11,
	PCI_CAPABILITY_FEATURES = 0x13,
	PCI_CAPABILITIES_MOST = 48, // as many as fit; a longer list is a loop
	PCI_CAPABILITY_PLACE = 0xfc, // bits of a link to the next
	PCI_NO_VENDOR = 0xffff,

	PCI_CLASS_HOST_BRIDGE = 0x0600, // class and subclass
	PCI_SPACE = 256, // bytes of registers; 4096 through memory
	PCI_SPACE_EXTENDED = 4096,
};

// From the start of an MSI capability (6.8.1), of which this is the form with 64-bit addresses.
enum pci_msi_register {
	PCI_MSI_CONTROL = 2,
	PCI_MSI_ADDRESS = 4,
	PCI_MSI_HIGH_ADDRESS = 8,
	PCI_MSI_DATA_32_BIT = 8, // of the form with 32-bit addresses
	PCI_MSI_DATA = 12,
	PCI_MSI_MASK = 16,
	PCI_MSI_PENDING = 20,
	PCI_MSI_SIZE = 24, // the longest form
	PCI_MSI_ENABLE = 1 << 0, // of the control register, as the next
	PCI_MSI_COUNT = 7 << 4, // log2 of the vectors in use
	PCI_MSI_64_BIT = 1 << 7,
	PCI_MSI_MASKS = 1 << 8,
};

// From the start of an MSI-X capability (6.8.2).
enum pci_msix_register {
	PCI_MSIX_CONTROL = 2,
	PCI_MSIX_TABLE = 4, // its place in a BAR, whose number is the low three bits
	PCI_MSIX_PENDING = 8, // likewise
	PCI_MSIX_SIZE = 12,
	PCI_MSIX_ALL_MASKED = 1 << 14, // of the control register, as the next
	PCI_MSIX_ENABLE = 1 << 15,
	PCI_MSIX_ENTRY = 16, // bytes: address, data, control
	PCI_MSIX_MASKED = 1 << 0, // of an entry's control
};

// From the start of a PCI Express capability (PCI Express 5.0, 7.5.3).
enum pci_express_register {
	PCI_EXPRESS_FLAGS = 2,
	PCI_EXPRESS_CAPABILITIES = 4,
	PCI_EXPRESS_CONTROL = 8,
	PCI_EXPRESS_KIND_SHIFT = 4, // of the flags: what it is
	PCI_EXPRESS_KIND_MASK = 15,
	PCI_EXPRESS_TO_PCI_BRIDGE = 7,
	PCI_EXPRESS_CAN_RESET = 1 << 28, // of the capabilities: the function alone
	PCI_EXPRESS_RESET = 1 << 15, // of the control register
};

// From the start of an Advanced Features capability (its engineering change notice of 2006).
enum pci_features_register {
	PCI_FEATURES_CAPABILITIES = 3,
	PCI_FEATURES_CONTROL = 4,
	PCI_FEATURES_CAN_RESET = 1 << 1, // of the capabilities
	PCI_FEATURES_RESET = 1 << 0, // of the control register
};

enum pci_way {
	PCI_PORT_ADDRESS = 0xcf8,
	PCI_PORT_DATA = 0xcfc,
	PCI_ADDRESS_FUNCTION_SHIFT = 8,
	PCI_MEMORY_FUNCTION_SHIFT = 12,
	PCI_MEMORY_BUS_SHIFT = 20,
};
#define PCI_ADDRESS_ENABLE 0x80000000u

// What PCI_PORT_ADDRESS takes for the word of a function's registers that holds the offset.
static inline uint32_t pci_port_address(uint32_t function, uint32_t offset) {
	return PCI_ADDRESS_ENABLE | function << PCI_ADDRESS_FUNCTION_SHIFT | (offset & ~3u);
}

// The parts of bus << 8 | device << 3 | function.
#define PCI_BUS(function) ((function) >> 8)
#define PCI_SLOT(function) ((function) >> 3 & 31)
#define PCI_NUMBER(function) ((function)&7)

// A function in the usual notation, as a format and its arguments.
#define PCI_FORMAT "%02x:%02x.%x"
#define PCI_WORDS(function) PCI_BUS(function), PCI_SLOT(function), PCI_NUMBER(function)
