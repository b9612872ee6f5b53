// SPDX-License-Identifier: BSD-2-Clause
// Ports and PCI devices in tests.
#include "pci.h"

enum { DEVICES_END = 256 };

uint64_t ports_issue(uint64_t first, uint64_t last) {
	uint64_t slot = slot_take();

	CHECK_OK(invoke(ROOT_SLOT_PORT_CONTROL, LABEL_PORT_CONTROL_ISSUE, CAPS(ROOT_SLOT_CNODE),
		WORDS(first, last, slot, DEPTH)));
	return slot;
}

uint64_t port_in32(uint64_t ports, uint64_t port) {
	return invoke(ports, LABEL_PORT_RANGE_IN32, CAPS(), WORDS(port)).words[0];
}

void port_out32(uint64_t ports, uint64_t port, uint64_t value) {
	CHECK_OK(invoke(ports, LABEL_PORT_RANGE_OUT32, CAPS(), WORDS(port, value)));
}

uint64_t pci_ports(void) { return ports_issue(PCI_PORT_ADDRESS, PCI_PORT_DATA + 3); }

uint64_t pci_read(uint64_t ports, uint64_t device, uint64_t offset) {
	port_out32(ports, PCI_PORT_ADDRESS, pci_port_address((uint32_t)device, (uint32_t)offset));
	return port_in32(ports, PCI_PORT_DATA);
}

void pci_write(uint64_t ports, uint64_t device, uint64_t offset, uint64_t value) {
	port_out32(ports, PCI_PORT_ADDRESS, pci_port_address((uint32_t)device, (uint32_t)offset));
	port_out32(ports, PCI_PORT_DATA, value);
}

uint64_t pci_find(uint64_t ports, uint64_t id, const char *reason) {
	uint64_t device = 0;

	while (device < DEVICES_END && pci_read(ports, device, 0) != id)
		device += 8;
	if (device == DEVICES_END) test_skip(reason);
	return device;
}
