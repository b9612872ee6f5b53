// SPDX-License-Identifier: BSD-2-Clause
// The kernel's own page tables: image and physical window, entries 256 to 511 of every address
// space, unless programs are isolated from the kernel and see only its entry code. Built once at
// boot and never changed, so copies of the entries stay valid.
#pragma once

#include <cpu/paging.h>

struct cpu;

struct kernel_map {
	alignas(4096) uint64_t root[PAGING_ENTRIES];
	uint64_t *shared; // the root whose upper half is in every address space
	uint64_t pool_next, pool_end; // RAM for more tables
};

// Memory from here up cannot be shown by the window, or by no page table of this CPU.
uint64_t kernel_map_ram_end(void);

// Bytes of tables needed at most for count ranges of memory with size bytes together.
uint64_t kernel_map_pool_size(unsigned count, uint64_t size);

// Builds the tables in a pool of RAM (page aligned, below 4 GiB) and loads them. The window shows
// the screen as write-combining memory, the ranges, which are on 2 MiB boundaries, as ordinary
// memory, and all else below 4 GiB (APICs among it) uncached.
void kernel_map_start(
	struct range pool, const struct range *ranges, unsigned count, struct range screen);

// Takes more of the pool, for the state of another core: mapped at the place that its physical
// memory (page aligned, below 1 GiB) has in the image's half.
void kernel_map_core(const struct cpu *cpu);

// The 512 entries of the root whose upper half address spaces get; and the physical address of the
// kernel's own.
const uint64_t *kernel_map_root(void);
physical_t kernel_map_root_physical(void);
