// SPDX-License-Identifier: BSD-2-Clause
// What drivers request from the PCI component by protected calls. A client's devices are numbered
// from 0 in the order in which the component's settings grant them; see docs/reference/pci.md.
#pragma once

enum pci_request {
	// Word 0: number. Answer: function (bus << 8 | device << 3 | function), vendor | device id
	// << 16, class (three bytes), interrupt line | pin << 8.
	PCI_DEVICE = 1,
	// Words: number, BAR. Answer: address, size, enum pci_bar_flags.
	PCI_BAR = 2,
	// Words: number, enum pci_enable: what the device may do from now on.
	PCI_ENABLE = 3,
	// Words: number, offset, width (1, 2 or 4; the offset is a multiple). Answer: value.
	PCI_READ = 4,
	// Words: number, offset, width, value. Registers that place the device in the machine are
	// the component's: only status, cache line size, latency timer and the device's own bytes
	// from 0x40 on may be written, MSI and MSI-X capabilities excepted.
	PCI_WRITE = 5,
	// Words: number, address of the message, as the kernel answers it (SetCore). The device
	// interrupts by MSI with the vector of its grant.
	PCI_SET_MSI = 6,
	// For a device that a guest drives. Words: number, BAR. Answer: place in the guest's
	// window, size, low bits of the register.
	PCI_PASSED_BAR = 7,
	// Words: number. Answer: how many messages its grant has, entries of the device's table of
	// messages (MSI-X), or 0 if it has one message and no table (MSI), the place of the table:
	// its offset in the BAR whose number is the low three bits.
	PCI_MESSAGES = 8,
	// Words: number, 1 or 0. The device interrupts, or not, by the messages of its table, which
	// the client writes.
	PCI_SET_MSIX = 9,
	// Words: number, enum pci_reset_step. Answer to PCI_RESET_BEGIN: microseconds for which the
	// device has to be left alone, before PCI_RESET_END; 0 if it cannot be reset alone, and is
	// only stopped.
	PCI_RESET = 10,
	// Words: number, which. Answer: offset and size of a capability that only names places in
	// BARs.
	PCI_PASSED_STRUCTURE = 11,
};

enum pci_reset_step {
	PCI_RESET_BEGIN = 0,
	PCI_RESET_END = 1,
};

enum pci_status {
	PCI_OK = 0, // label of the answer
	PCI_BAD_REQUEST = 1, // no such request, too few words, or words out of range
	PCI_NO_GRANT = 2, // the settings grant this client no device of that number
	PCI_ABSENT = 3, // they do, but the machine has no such device
	PCI_REFUSED = 4, // this register is not allowed, or the grant has no MSI vector
	PCI_UNSUPPORTED = 5, // the device has no such BAR or capability
};

enum pci_enable {
	PCI_ENABLE_PORTS = 1 << 0, // the command register's bits
	PCI_ENABLE_MEMORY = 1 << 1,
	PCI_ENABLE_BUS_MASTER = 1 << 2, // the device may write memory by DMA
};

enum pci_bar_flags {
	PCI_BAR_PORTS = 1 << 0, // I/O ports, else memory
	PCI_BAR_64_BIT = 1 << 1,
	PCI_BAR_PREFETCHABLE = 1 << 2,
};

enum {
	PCI_BARS = 6,
};
