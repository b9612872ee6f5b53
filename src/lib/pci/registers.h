// SPDX-License-Identifier: BSD-2-Clause
// What a client may do with the configuration registers of its own device. Pure.
#pragma once

#include <lib/pci/config.h>

// Whether offset and width name registers of a function.
[[nodiscard]] bool pci_may_read(const struct pci_config *config, uint64_t offset, uint64_t width);

// Whether the client may write them: see PCI_WRITE.
[[nodiscard]] bool pci_may_write(
	const struct pci_config *config, uint16_t function, uint64_t offset, uint64_t width);

// Offset of a capability of the function, 0 if it has none of that kind.
unsigned pci_capability(const struct pci_config *config, uint16_t function, unsigned kind);

// Whether a write to the address is an interrupt for one core, or one that is remapped.
[[nodiscard]] bool pci_is_message(uint64_t address);

// The function raises no interrupt by a line any more (PCI 3.0 6.2.2), until it is reset.
void pci_line_off(const struct pci_config *config, uint16_t function);

// Make the function interrupt by MSI, with the kernel's user interrupt `vector` and a message to
// this address; false if it cannot.
[[nodiscard]] bool pci_msi_set(
	const struct pci_config *config, uint16_t function, unsigned vector, uint32_t address);

// Make the function interrupt, or not, by the messages of its table; false if it has none.
[[nodiscard]] bool pci_msix_set(const struct pci_config *config, uint16_t function, bool enabled);
