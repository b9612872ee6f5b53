// SPDX-License-Identifier: BSD-2-Clause
// Which devices an IOMMU can tell apart.
#include <lib/pci/group.h>

#include <lib/pci/registers.h>

enum {
	BUS_SHIFT = 8,
	SLOT_SHIFT = 3,
};

uint16_t pci_requester(
	const struct pci_config *config, const struct pci_devices *devices, unsigned index) {
	uint16_t requester = devices->rows[index].function;

	for (int i = devices->rows[index].bridge; i != PCI_ROOT; i = devices->rows[i].bridge) {
		uint16_t bridge = devices->rows[i].function;
		unsigned express = pci_capability(config, bridge, PCI_CAPABILITY_EXPRESS);
		unsigned kind;

		if (express == 0) {
			requester = bridge;
			continue;
		}
		kind = pci_read16(config, bridge, express + PCI_EXPRESS_FLAGS);
		if ((kind >> PCI_EXPRESS_KIND_SHIFT & PCI_EXPRESS_KIND_MASK) ==
			PCI_EXPRESS_TO_PCI_BRIDGE)
			requester = (uint16_t)(pci_read8(config, bridge, PCI_REGISTER_SECONDARY_BUS)
				<< BUS_SHIFT);
	}
	return requester;
}

unsigned pci_group(const struct pci_devices *devices, unsigned index) {
	while (devices->rows[index].bridge != PCI_ROOT)
		index = (unsigned)devices->rows[index].bridge;
	return devices->rows[index].function >> SLOT_SHIFT;
}
