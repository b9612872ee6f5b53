// SPDX-License-Identifier: BSD-2-Clause
// Boot memory before there are untypeds: what the window shows, and room for the kernel's tables.
#pragma once

#include <cpu/kernel_map.h>
#include <kernel/boot.h>

// Fills ranges (BOOT_MEMORY_MAP_ENTRIES of them) with all RAM and firmware tables; returns how
// many.
unsigned memory_map_visible(const struct boot_facts *facts, struct kernel_map_range *ranges);

// Finds size bytes of RAM from 1 MiB up and below 4 GiB that neither image nor modules use. False
// if there are none.
bool memory_map_find(const struct boot_facts *facts, uint64_t size, struct kernel_map_range *room);

// Notes a range of RAM the kernel uses for good.
void memory_map_reserve(struct boot_facts *facts, uint64_t start, uint64_t end);
