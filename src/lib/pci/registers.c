// SPDX-License-Identifier: BSD-2-Clause
// What a client may do with the configuration registers of its own device. MSI address, data and
// routing stay with this component: an MSI is a write to any address.
#include <lib/pci/registers.h>

#include <x86/apic.h>

enum {
	CPU_VECTOR_BASE = 48, // of the kernel's user interrupt 0
};

// Of an address (SDM 3A 11.11.1; VT-d 5.1.2.2): the id of one APIC, or that it is remapped, with
// the data as the entry's number.
#define MESSAGE_TARGET (0xffu << MESSAGE_TARGET_SHIFT)

bool pci_may_read(const struct pci_config *config, uint64_t offset, uint64_t width) {
	return (width == 1 || width == 2 || width == 4) && offset % width == 0 &&
		offset < config->space;
}

unsigned pci_capability(const struct pci_config *config, uint16_t function, unsigned kind) {
	unsigned offset = PCI_REGISTER_CAPABILITIES;

	if (!(pci_read16(config, function, PCI_REGISTER_STATUS) & PCI_STATUS_CAPABILITIES))
		return 0;
	for (unsigned i = 0; i < PCI_CAPABILITIES_MOST; i++) {
		offset = pci_read8(config, function, offset) & PCI_CAPABILITY_PLACE;
		if (offset < PCI_REGISTER_OWN) return 0;
		if (pci_read8(config, function, offset) == kind) return offset;
		offset++;
	}
	return 0;
}

static bool touches(unsigned start, unsigned size, uint64_t offset, uint64_t width) {
	return start != 0 && offset < start + size && start < offset + width;
}

bool pci_may_write(
	const struct pci_config *config, uint16_t function, uint64_t offset, uint64_t width) {
	if (!pci_may_read(config, offset, width) || offset >= PCI_SPACE) return false;
	if (offset < PCI_REGISTER_OWN)
		return (offset == PCI_REGISTER_STATUS && width == 2) ||
			(offset == PCI_REGISTER_CACHE_LINE && width <= 2) ||
			(offset == PCI_REGISTER_LATENCY && width == 1);
	return !touches(pci_capability(config, function, PCI_CAPABILITY_MSI), PCI_MSI_SIZE, offset,
		       width) &&
		!touches(pci_capability(config, function, PCI_CAPABILITY_MSIX), PCI_MSIX_SIZE,
			offset, width);
}

bool pci_is_message(uint64_t address) {
	if (address == (MESSAGE_ADDRESS | MESSAGE_REMAPPED | MESSAGE_BY_DATA)) return true;
	return (address & ~(uint64_t)MESSAGE_TARGET) == MESSAGE_ADDRESS &&
		(address & MESSAGE_TARGET) != MESSAGE_TARGET; // which means all
}

void pci_line_off(const struct pci_config *config, uint16_t function) {
	uint16_t command = pci_read16(config, function, PCI_REGISTER_COMMAND);

	config->write(function, PCI_REGISTER_COMMAND, 2, command | PCI_COMMAND_NO_INTX);
}

bool pci_msi_set(
	const struct pci_config *config, uint16_t function, unsigned vector, uint32_t address) {
	unsigned start = pci_capability(config, function, PCI_CAPABILITY_MSI);
	unsigned data = PCI_MSI_DATA_32_BIT;
	uint16_t control;

	if (start == 0) return false;
	control = pci_read16(config, function, start + PCI_MSI_CONTROL);
	control &= (uint16_t) ~(PCI_MSI_ENABLE | PCI_MSI_COUNT);
	config->write(function, start + PCI_MSI_CONTROL, 2, control);
	config->write(function, start + PCI_MSI_ADDRESS, 4, address);
	if (control & PCI_MSI_64_BIT) {
		config->write(function, start + PCI_MSI_HIGH_ADDRESS, 4, 0);
		data = PCI_MSI_DATA;
	}
	config->write(function, start + data, 2, vector + CPU_VECTOR_BASE);
	config->write(function, start + PCI_MSI_CONTROL, 2, control | PCI_MSI_ENABLE);
	pci_line_off(config, function);
	return true;
}

bool pci_msix_set(const struct pci_config *config, uint16_t function, bool enabled) {
	unsigned start = pci_capability(config, function, PCI_CAPABILITY_MSIX);
	uint16_t control;

	if (start == 0) return false;
	control = pci_read16(config, function, start + PCI_MSIX_CONTROL);
	control &= (uint16_t) ~(PCI_MSIX_ENABLE | PCI_MSIX_ALL_MASKED);
	config->write(function, start + PCI_MSIX_CONTROL, 2,
		enabled ? control | PCI_MSIX_ENABLE : control);
	return true;
}
