// SPDX-License-Identifier: BSD-2-Clause
// The two ways to access configuration registers of PCI functions.
#pragma once

#include <lib/pci/config.h>

// Ports 0xcf8 and 0xcfc.
extern const struct pci_config pci_config_ports;

// Registers in memory (PCI Express, ECAM): a megabyte for each bus from bus 0 on.
struct pci_config pci_config_memory(uint64_t vaddr, uint64_t size);
