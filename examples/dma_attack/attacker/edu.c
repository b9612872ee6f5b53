// SPDX-License-Identifier: BSD-2-Clause
// The registers of QEMU's educational device.
#include "edu.h"

#include <nacre/pci_open.h>

enum {
	PCI = 1, // channel
	SIZE = 0x100000,
	IDENTITY = 0x00,
	IDENTITY_BYTE = 0xed,
	RAISE = 0x60,
	LOWER = 0x64,
	SOURCE = 0x80, // of 8 bytes, as the next three
	DESTINATION = 0x88,
	COUNT = 0x90,
	COMMAND = 0x98,
	COMMAND_START = 1 << 0, // clear again when the copy is made
	COMMAND_TO_MEMORY = 1 << 1,
	BUFFER = 0x40000, // the address that stands for the device's own buffer
};

// Patched by the composer.
volatile uint8_t *edu_vaddr;
uint64_t edu_paddr;

static volatile uint64_t *wide(unsigned offset) {
	return (volatile uint64_t *)(edu_vaddr + offset);
}

bool edu_open(void) {
	const struct pci_wanted wanted = {
		.channel = PCI,
		.paddr = edu_paddr,
		.size = SIZE,
		.enable = PCI_ENABLE_MEMORY | PCI_ENABLE_BUS_MASTER,
	};

	return pci_open(&wanted) &&
		(*(volatile uint32_t *)(edu_vaddr + IDENTITY) & 0xff) == IDENTITY_BYTE;
}

static volatile uint32_t *narrow(unsigned offset) {
	return (volatile uint32_t *)(edu_vaddr + offset);
}

bool edu_interrupt(uint64_t address) {
	microkit_mr_set(0, 0); // the first device of this component
	microkit_mr_set(1, address);
	if (pci_call(PCI, PCI_SET_MSI, 2) != PCI_OK) return false;
	*narrow(RAISE) = 1;
	*narrow(LOWER) = 1;
	return true;
}

static void copy(uint64_t source, uint64_t destination, uint32_t size, uint64_t direction) {
	*wide(SOURCE) = source;
	*wide(DESTINATION) = destination;
	*wide(COUNT) = size;
	*wide(COMMAND) = COMMAND_START | direction;
	// The rest of this period is given up: a copy takes a tenth of a second.
	while (*wide(COMMAND) & COMMAND_START)
		seL4_Yield();
}

void edu_fetch(uint64_t address, uint32_t place, uint32_t size) {
	copy(address, BUFFER + place, size, 0);
}

void edu_store(uint64_t address, uint32_t place, uint32_t size) {
	copy(BUFFER + place, address, size, COMMAND_TO_MEMORY);
}
