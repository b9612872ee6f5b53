// SPDX-License-Identifier: BSD-2-Clause
// A machine of arrays, whose configuration registers the code of PCI reads and writes.
#pragma once

#include <lib/pci/scan.h>

enum { FUNCTIONS = 8, CARD = 0x18, BRIDGE = 0x20, BEHIND = 0x100, VGA = 0x10, HOST = 0 };

struct function {
	uint16_t address;
	uint8_t bytes[PCI_SPACE];
	uint8_t writable[PCI_SPACE];
	bool sized_while_decoding;
};

extern struct function functions[FUNCTIONS];
extern unsigned function_count;
extern unsigned wrong_accesses;
extern struct pci_devices devices; // found by set_up
extern const struct pci_config config;

// A host bridge, a VGA card, a network card, and a bridge with a disk controller behind it.
void set_up(void);
struct function *find(uint16_t address);
struct function *add(uint16_t address, uint32_t id, uint32_t class, unsigned header);
void add_bar(struct function *function, unsigned bar, uint32_t value, uint32_t size);
// A capability of the function, the only one.
void add_capability(struct function *function, unsigned kind);
void put(uint8_t *bytes, unsigned offset, uint64_t value, unsigned width);
uint32_t fake_read(uint16_t address, unsigned offset, unsigned width);
int index_of(uint16_t address);
const struct pci_base *base_of(uint16_t address, unsigned bar);
