// SPDX-License-Identifier: BSD-2-Clause
// Address and data port, each access with the address port saved.
#include <root/pci_ports.h>

#include <user/slots.h>

enum { ALL_BUSES = 256 };

// Written by pci_ports_use only.
static seL4_CPtr ports;

static uint32_t select(uint16_t function, unsigned offset) {
	seL4_X86_IOPort_In32_t before = seL4_X86_IOPort_In32(ports, PCI_PORT_ADDRESS);

	(void)seL4_X86_IOPort_Out32(ports, PCI_PORT_ADDRESS, pci_port_address(function, offset));
	return before.result;
}

static uint32_t ports_read(uint16_t function, unsigned offset, unsigned width) {
	seL4_Uint16 port = (seL4_Uint16)(PCI_PORT_DATA + (offset & 3));
	uint32_t before = select(function, offset);
	uint32_t value;

	if (width == 1)
		value = seL4_X86_IOPort_In8(ports, port).result;
	else if (width == 2)
		value = seL4_X86_IOPort_In16(ports, port).result;
	else
		value = seL4_X86_IOPort_In32(ports, port).result;
	(void)seL4_X86_IOPort_Out32(ports, PCI_PORT_ADDRESS, before);
	return value;
}

static void ports_write(uint16_t function, unsigned offset, unsigned width, uint32_t value) {
	seL4_Uint16 port = (seL4_Uint16)(PCI_PORT_DATA + (offset & 3));
	uint32_t before = select(function, offset);

	if (width == 1)
		(void)seL4_X86_IOPort_Out8(ports, port, value);
	else if (width == 2)
		(void)seL4_X86_IOPort_Out16(ports, port, value);
	else
		(void)seL4_X86_IOPort_Out32(ports, port, value);
	(void)seL4_X86_IOPort_Out32(ports, PCI_PORT_ADDRESS, before);
}

const struct pci_config pci_ports_config = {ports_read, ports_write, PCI_SPACE, ALL_BUSES};

void pci_ports_use(seL4_CPtr capability) { ports = capability; }

seL4_CPtr pci_ports_issue(void) {
	seL4_CPtr slot = slots_allocate(1);

	if (!slot ||
		seL4_X86_IOPortControl_Issue(seL4_CapIOPortControl, PCI_PORT_ADDRESS,
			PCI_PORTS_LAST, seL4_CapInitThreadCNode, slot, seL4_WordBits))
		return seL4_CapNull;
	return slot;
}
