// SPDX-License-Identifier: BSD-2-Clause
// Taking a device out of use whose driver is gone. Pure.
#pragma once

#include <lib/pci/config.h>

enum {
	// So long no register of a function that is being reset may be accessed (PCI Express 5.0,
	// 6.6.2), in microseconds.
	PCI_RESET_TIME = 100000,
	PCI_KEPT = 16, // registers of four bytes
};

// What a reset takes from a function, and firmware or the PCI component gave it.
struct pci_kept {
	uint32_t registers[PCI_KEPT];
};

// The function starts no access to memory any more and decodes nothing. What it had begun may still
// arrive.
void pci_stop(const struct pci_config *config, uint16_t function);

// Begin to reset a function that was stopped; false if it cannot be reset alone, or has an
// interrupt by its line that was not taken, and nothing was done. kept: null if it is in reset.
[[nodiscard]] bool pci_reset(
	const struct pci_config *config, uint16_t function, struct pci_kept *kept);

// After PCI_RESET_TIME: give it back what was kept. It stays stopped.
void pci_reset_end(const struct pci_config *config, uint16_t function, const struct pci_kept *kept);
