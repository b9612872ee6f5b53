// SPDX-License-Identifier: BSD-2-Clause
// A function that is passed through to a guest.
#include <lib/pci/passed.h>

#include <lib/pci/registers.h>

#include <base/bits.h>
#include <virtio/pci.h>

enum {
	PAGE_SIZE = 4096,
	CONTROL_SHIFT = 16, // in the first word of a capability
	COUNT_MASK = 0x7ff,
	BAR_MASK = 7,
	STRUCTURE_SIZE = 2, // in a capability of virtio
	STRUCTURE_KIND = 3,
	// What the guest's own table takes, with the bits of what is pending behind it.
	GUEST_TABLE_SIZE = 32 * PCI_MSIX_ENTRY + 8,
};

#define TOO_LARGE (1ul << 48) // six of them still have a sum

struct pci_table pci_table_of(uint32_t control, uint32_t place) {
	return (struct pci_table){
		.bar = place & BAR_MASK,
		.offset = place & ~(uint32_t)BAR_MASK,
		.count = (control >> CONTROL_SHIFT & COUNT_MASK) + 1,
	};
}

uint64_t pci_pass(const struct pci_config *config, const struct pci_device *device,
	struct pci_passed *passed) {
	unsigned messages = pci_capability(config, device->function, PCI_CAPABILITY_MSIX);
	uint64_t end = 0, table_end;

	*passed = (struct pci_passed){0};
	if (messages != 0)
		passed->table = pci_table_of(pci_read32(config, device->function, messages),
			pci_read32(config, device->function, messages + PCI_MSIX_TABLE));
	for (unsigned i = 0; i < PCI_BARS; i++) {
		const struct pci_base *base = &device->bases[i];

		if (base->size < PAGE_SIZE || base->flags & PCI_BAR_PORTS || base->address == 0)
			continue;
		if (base->size > TOO_LARGE) return base->size;
		passed->bars[i].address = base->address;
		passed->bars[i].offset = align_up(end, base->size);
		passed->bars[i].size = base->size;
		end = passed->bars[i].offset + base->size;
	}
	// Of a table that the guest cannot be shown there are no messages.
	table_end = passed->table.offset + (uint64_t)passed->table.count * PCI_MSIX_ENTRY;
	if (passed->table.bar >= PCI_BARS || table_end > passed->bars[passed->table.bar].size)
		passed->table = (struct pci_table){0};
	return end;
}

bool pci_passed_directly(const struct pci_passed *passed, unsigned bar, uint64_t offset) {
	const struct pci_table *table = &passed->table;
	uint32_t size = table->count * PCI_MSIX_ENTRY;

	if (size < GUEST_TABLE_SIZE) size = GUEST_TABLE_SIZE;
	return table->count == 0 || bar != table->bar || offset + PAGE_SIZE <= table->offset ||
		offset >= table->offset + size;
}

uint8_t pci_passed_flags(const struct pci_base *base) {
	unsigned flags = base->flags & PCI_BAR_64_BIT ? PCI_BAR_IS_64_BIT : 0;

	return (uint8_t)(base->flags & PCI_BAR_PREFETCHABLE ? flags | PCI_BAR_IS_PREFETCHABLE
							    : flags);
}

// The size of a structure in whole words, or 0 if the capability at the place is none for a guest.
static unsigned structure_size(const struct pci_config *config, uint16_t function, unsigned place) {
	unsigned size = pci_read8(config, function, place + STRUCTURE_SIZE);

	if (pci_read8(config, function, place) != PCI_CAPABILITY_VENDOR ||
		pci_read8(config, function, place + STRUCTURE_KIND) == VIRTIO_PCI_ACCESS ||
		place + size > PCI_SPACE)
		return 0;
	return size & ~3u;
}

unsigned pci_passed_structure(const struct pci_config *config, const struct pci_device *device,
	uint64_t which, unsigned *size) {
	uint16_t function = device->function;
	unsigned place = PCI_REGISTER_CAPABILITIES;

	*size = 0;
	if (device->vendor != VIRTIO_PCI_VENDOR ||
		!(pci_read16(config, function, PCI_REGISTER_STATUS) & PCI_STATUS_CAPABILITIES))
		return 0;
	for (unsigned i = 0; i < PCI_CAPABILITIES_MOST; i++) {
		place = pci_read8(config, function, place) & PCI_CAPABILITY_PLACE;
		if (place < PCI_REGISTER_OWN) return 0;
		*size = structure_size(config, function, place);
		if (*size > 0 && which-- == 0) return place;
		place++;
	}
	return 0;
}
