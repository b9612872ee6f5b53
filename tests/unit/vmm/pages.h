// SPDX-License-Identifier: BSD-2-Clause
// A guest whose small linear space has pages of a device and of memory.
#pragma once

#include "rig.h"

enum {
	PML4 = 0x300000,
	PDPT = 0x301000,
	PD = 0x302000,
	PT = 0x303000,
	LOW = 0x304000,
	SPACE = 0x40000000, // linear; its pages are entries of PT
	MEMORY = 0x500000, // physical
	DEVICE = 0x10000000,
	DEVICE_SIZE = 0x4000,
	PRESENT = 1,
	WRITABLE = 2,
	USER = 4,
	LARGE = 0x80,
};

// Pages 0 and 1 are of the device, 2 and 3 of memory, 4 is absent, 5 is of the device again.
void pages_fresh(void);
void pages_map(unsigned page, uint64_t physical, uint64_t rights);
void pages_put(uint64_t table, unsigned index, uint64_t entry);
uint64_t pages_get(uint64_t table, unsigned index);
// A breakpoint of the kind (1: writes, 2: ports, 3: reads too) on four bytes.
void pages_breakpoint(unsigned number, uint64_t address, unsigned kind);
// The fault for the next entry, with the guest still at the instruction.
void check_page_fault(uint64_t linear, uint32_t error_code);
void check_exception(uint32_t vector);

extern uint8_t pages_device[DEVICE_SIZE];
extern unsigned pages_accesses; // to the device
