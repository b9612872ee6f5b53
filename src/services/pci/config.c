// SPDX-License-Identifier: BSD-2-Clause
// The two access methods for configuration registers: a pair of ports, and memory.
#include <services/pci/config.h>

#include <microkit.h>
#include <nacre/registers.h>

enum {
	PORT_ID = 0,
	ALL_BUSES = 256,
};

// Written by pci_config_memory only.
static uint64_t memory;

static void select(uint16_t function, unsigned offset) {
	microkit_x86_ioport_write_32(PORT_ID, PCI_PORT_ADDRESS, pci_port_address(function, offset));
}

static uint32_t ports_read(uint16_t function, unsigned offset, unsigned width) {
	unsigned port = PCI_PORT_DATA + (offset & 3);

	select(function, offset);
	if (width == 1) return microkit_x86_ioport_read_8(PORT_ID, port);
	if (width == 2) return microkit_x86_ioport_read_16(PORT_ID, port);
	return microkit_x86_ioport_read_32(PORT_ID, port);
}

static void ports_write(uint16_t function, unsigned offset, unsigned width, uint32_t value) {
	unsigned port = PCI_PORT_DATA + (offset & 3);

	select(function, offset);
	if (width == 1)
		microkit_x86_ioport_write_8(PORT_ID, port, value);
	else if (width == 2)
		microkit_x86_ioport_write_16(PORT_ID, port, value);
	else
		microkit_x86_ioport_write_32(PORT_ID, port, value);
}

const struct pci_config pci_config_ports = {ports_read, ports_write, PCI_SPACE, ALL_BUSES};

static uint64_t memory_place(uint16_t function, unsigned offset) {
	return memory + ((uint64_t)function << PCI_MEMORY_FUNCTION_SHIFT) + offset;
}

static uint32_t memory_read(uint16_t function, unsigned offset, unsigned width) {
	return (uint32_t)register_load(memory_place(function, offset), width);
}

static void memory_write(uint16_t function, unsigned offset, unsigned width, uint32_t value) {
	register_store(memory_place(function, offset), width, value);
}

struct pci_config pci_config_memory(uint64_t vaddr, uint64_t size) {
	uint64_t buses = size >> PCI_MEMORY_BUS_SHIFT;

	memory = vaddr;
	return (struct pci_config){memory_read, memory_write, PCI_SPACE_EXTENDED,
		buses < ALL_BUSES ? (unsigned)buses : ALL_BUSES};
}
