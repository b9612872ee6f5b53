// SPDX-License-Identifier: BSD-2-Clause
// Spaces of devices in tests.
#pragma once

#include "world.h"

// A device that no machine of the tests has.
enum { NO_DEVICE = 0x7f08, IO_DOMAIN = 5 };

// Skips the test on a machine that remaps no DMA.
void io_space_require(void);
uint64_t io_levels(void);
// The space of a device, in a domain of its own.
uint64_t io_space_make(uint64_t device, uint64_t domain);
struct message io_table_map(uint64_t table, uint64_t space, uint64_t address);
struct message io_frame_map(uint64_t frame, uint64_t space, uint64_t rights, uint64_t address);
// All tables for an address, the root among them; the first slot of io_levels() ones.
uint64_t io_tables_make(uint64_t space, uint64_t address);
