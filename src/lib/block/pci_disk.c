// SPDX-License-Identifier: BSD-2-Clause
// What the description gives the driver of a disk on PCI.
#include <lib/block/pci_disk.h>

#include <lib/block/driver.h>
#include <nacre/print.h>

#define PATCHED __attribute__((section(".data")))

uint64_t registers_vaddr PATCHED;
uint64_t registers_size PATCHED;
uint64_t registers_paddr PATCHED;
uint64_t dma_vaddr PATCHED;
uint64_t dma_size PATCHED;
uint64_t dma_paddr PATCHED;

bool pci_disk_is_described(bool has_rest, uint64_t dma_least, const char *names) {
	if (has_rest && registers_vaddr && dma_vaddr && dma_paddr && dma_size >= dma_least)
		return true;
	print("%s: the description lacks %s\n", microkit_name, names);
	return false;
}

struct pci_wanted pci_disk_wanted(unsigned bar, uint64_t size) {
	return (struct pci_wanted){
		.channel = BLOCK_CHANNEL_PCI,
		.number = 0,
		.bar = bar,
		.paddr = registers_paddr,
		.size = size,
		.enable = PCI_ENABLE_MEMORY | PCI_ENABLE_BUS_MASTER,
	};
}
