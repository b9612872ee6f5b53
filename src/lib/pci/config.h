// SPDX-License-Identifier: BSD-2-Clause
// Access to the configuration registers of PCI functions, whichever way it takes.
#pragma once

#include <pci/pci.h>
#include <stdbool.h>
#include <stdint.h>

// A function is bus << 8 | device << 3 | function. The offset is a multiple of the width.
struct pci_config {
	uint32_t (*read)(uint16_t function, unsigned offset, unsigned width);
	void (*write)(uint16_t function, unsigned offset, unsigned width, uint32_t value);
	unsigned space; // bytes of registers of a function
	unsigned buses;
};

static inline uint8_t pci_read8(
	const struct pci_config *config, uint16_t function, unsigned offset) {
	return (uint8_t)config->read(function, offset, 1);
}

static inline uint16_t pci_read16(
	const struct pci_config *config, uint16_t function, unsigned offset) {
	return (uint16_t)config->read(function, offset, 2);
}

static inline uint32_t pci_read32(
	const struct pci_config *config, uint16_t function, unsigned offset) {
	return config->read(function, offset, 4);
}
