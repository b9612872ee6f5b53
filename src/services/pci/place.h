// SPDX-License-Identifier: BSD-2-Clause
// Where the registers of a device may be put. A description maps them at a fixed physical address,
// and firmwares differ in the addresses they choose. Pure.
#pragma once

#include <lib/pci/scan.h>

enum pci_place_status {
	PCI_PLACE_OK,
	PCI_PLACE_NO_BAR, // there is no such memory BAR
	PCI_PLACE_UNALIGNED, // not a multiple of the size, or out of the register's reach
	PCI_PLACE_RESERVED, // RAM, reserved by the firmware, or the machine's own
	PCI_PLACE_TAKEN, // another device, or a bridge for those behind it, is there
	PCI_PLACE_BRIDGE, // the bridge above the device does not forward it
};

extern const char *const pci_place_texts[];

// A region prefilled with bootinfo's x86_mbmmap; may be absent (0).
struct pci_memory_map {
	uint64_t vaddr;
};

// Whether the BAR may be moved to the address; its present address is always allowed.
[[nodiscard]] enum pci_place_status pci_place_check(const struct pci_config *config,
	const struct pci_devices *devices, unsigned index, unsigned bar, uint64_t address);

// Whether [address, address + size) is in no entry of the memory map.
[[nodiscard]] bool pci_memory_map_leaves(
	const struct pci_memory_map *map, uint64_t address, uint64_t size);
