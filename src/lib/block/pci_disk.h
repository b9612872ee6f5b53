// SPDX-License-Identifier: BSD-2-Clause
// Common to the drivers of disks on PCI that move data by DMA: what the description gives them.
#pragma once

#include <nacre/pci_open.h>

#include <stdbool.h>
#include <stdint.h>

// Patched by the composer: the device's registers, and memory that it reads and writes.
extern uint64_t registers_vaddr, registers_size, registers_paddr;
extern uint64_t dma_vaddr, dma_size, dma_paddr;

// Whether all is there that every such driver needs, with at least so many bytes for DMA, and the
// rest of what this one needs. If not, says that one of the variables named is lacking.
[[nodiscard]] bool pci_disk_is_described(bool has_rest, uint64_t dma_least, const char *names);

// The first device granted, with registers of at least so many bytes in a BAR.
[[nodiscard]] struct pci_wanted pci_disk_wanted(unsigned bar, uint64_t size);
