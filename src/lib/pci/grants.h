// SPDX-License-Identifier: BSD-2-Clause
// Which client may use which device: the component's settings. Pure.
//
//   grant CHANNEL [id=VENDOR:DEVICE] [class=CCSS] [at=BUS:DEVICE.FUNCTION] [barN=ADDRESS]
//   [msi=VECTOR] [messages=COUNT]
//
// All conditions of a line must hold; the first device not yet granted that fits is taken, in the
// order of the lines and of the buses.
#pragma once

#include <lib/pci/scan.h>
#include <nacre/settings.h>

enum {
	PCI_GRANTS = 32,
	PCI_NO_DEVICE = -1,
	PCI_NO_MSI = -1,
	PCI_ANY = ~0u,
};

struct pci_grant {
	unsigned line; // of the settings, for messages
	unsigned channel;
	uint32_t vendor; // or PCI_ANY, as the next three
	uint32_t device;
	uint32_t class; // class and subclass
	uint32_t function;
	int msi; // the vector, or PCI_NO_MSI
	unsigned messages; // with that vector and the following ones
	uint64_t places[PCI_BARS]; // the address for a BAR, 0: as the firmware set it
	int index; // among the devices, or PCI_NO_DEVICE
};

struct pci_grants {
	unsigned count;
	struct pci_grant rows[PCI_GRANTS];
};

// Line number of the first line that is wrong, 0 when all are right. Lines before it count.
[[nodiscard]] unsigned pci_grants_read(struct pci_grants *grants, struct settings *settings);

// Assign a device to each grant.
void pci_grants_assign(struct pci_grants *grants, const struct pci_devices *devices);

// The channel's grant of this number, or null.
const struct pci_grant *pci_grant_of(
	const struct pci_grants *grants, unsigned channel, uint64_t number);
