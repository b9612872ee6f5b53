// SPDX-License-Identifier: BSD-2-Clause
// How Nacre's own drivers get their device: it is there, its registers are where the description
// maps them, and it may work.
#pragma once

#include <abi/compiler.h>

#include <nacre/pci_client.h>

struct pci_wanted {
	microkit_channel channel; // to the PCI component
	unsigned number;
	unsigned bar; // with the registers
	uint64_t paddr; // where the description has them
	uint64_t size; // that they have at least
	unsigned enable; // enum pci_enable
};

SEL4_C_BEGIN

// False when it cannot be used; a line says why.
ABI_MUST_USE bool pci_open(const struct pci_wanted *wanted);

SEL4_C_END
