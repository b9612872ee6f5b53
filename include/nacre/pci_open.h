// SPDX-License-Identifier: BSD-2-Clause
// How Nacre's own drivers open their device: checks that it is present and that its registers are
// where the description maps them, and enables it.
#pragma once

#include <abi/compiler.h>

#include <nacre/pci_client.h>

struct pci_wanted {
	microkit_channel channel; // to the PCI component
	unsigned number;
	unsigned bar; // of its registers
	uint64_t paddr; // the address in the description
	uint64_t size; // the least size
	unsigned enable; // enum pci_enable
};

SEL4_C_BEGIN

// False when it cannot be used; prints the reason.
ABI_MUST_USE bool pci_open(const struct pci_wanted *wanted);
// The same for a driver that may have no channel to the PCI component: then true, and the device
// has to be as the firmware left it.
ABI_MUST_USE bool pci_open_if_granted(const struct pci_wanted *wanted);

SEL4_C_END
