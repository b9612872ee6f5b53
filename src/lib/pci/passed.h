// SPDX-License-Identifier: BSD-2-Clause
// A function that is passed through to a guest: where the guest has the memory behind its BARs, and
// which part of that it must not reach itself. Pure.
#pragma once

#include <lib/pci/scan.h>

// The table of a function's messages, of which each entry is an address that the device writes to.
struct pci_table {
	uint8_t bar;
	uint32_t offset;
	uint32_t count; // of entries; 0: there is none
};

struct pci_passed {
	// A guest has none of the BARs for ports, and none that share their page with something
	// else.
	struct {
		uint64_t address;
		uint64_t offset; // in the guest's window
		uint64_t size; // 0: the guest has none
	} bars[PCI_BARS];
	struct pci_table table;
};

// Returns the size of the window that the BARs take.
uint64_t pci_pass(const struct pci_config *config, const struct pci_device *device,
	struct pci_passed *passed);

// Whether the guest reaches the page of a BAR by itself: no message can be changed there.
[[nodiscard]] bool pci_passed_directly(
	const struct pci_passed *passed, unsigned bar, uint64_t offset);

// The table that two words of an MSI-X capability describe: the one with the control register, and
// that with the place.
struct pci_table pci_table_of(uint32_t control, uint32_t place);

// The low bits of the guest's register for a BAR.
uint8_t pci_passed_flags(const struct pci_base *base);

// The place of the `which`th capability that only names places in BARs, as virtio devices have
// them, and its size; 0 if there are not so many. What leads to BARs by way of configuration
// registers is none of them.
unsigned pci_passed_structure(const struct pci_config *config, const struct pci_device *device,
	uint64_t which, unsigned *size);
