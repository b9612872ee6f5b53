// SPDX-License-Identifier: BSD-2-Clause
// How Nacre's own drivers open their device.
#include <nacre/pci_open.h>

#include <base/bits.h>
#include <nacre/print.h>

bool pci_open(const struct pci_wanted *wanted) {
	struct pci_found found;
	struct pci_range range;

	if (pci_find(wanted->channel, wanted->number, &found) != PCI_OK) {
		print("%s: no device: the PCI component has none for this driver\n", microkit_name);
		return false;
	}
	if (pci_bar(wanted->channel, wanted->number, wanted->bar, &range) != PCI_OK ||
		range.flags & PCI_BAR_PORTS || range.size < wanted->size) {
		print("%s: %04x:%04x is no device of this kind\n", microkit_name, found.vendor,
			found.device);
		return false;
	}
	if (range.address != wanted->paddr) {
		print("%s: the device is at 0x%lx, in the description at 0x%lx\n", microkit_name,
			range.address, wanted->paddr);
		return false;
	}
	return pci_enable(wanted->channel, wanted->number, wanted->enable) == PCI_OK;
}

bool pci_open_if_granted(const struct pci_wanted *wanted) {
	return !(microkit_pps & BIT(wanted->channel)) || pci_open(wanted);
}
