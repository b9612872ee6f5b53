// SPDX-License-Identifier: BSD-2-Clause
// The kernel's own page tables: image and physical window, entries 256 to 511 of every address
// space. Built once at boot and never changed, so copies of the entries stay valid.
#pragma once

#include <cpu/layout.h>

struct kernel_map_range {
	uint64_t start;
	uint64_t end; // exclusive
};

// Physical memory the window must show as ordinary memory, and the part of it that becomes tables.
struct kernel_map_plan {
	const struct kernel_map_range *memory;
	unsigned count;
	struct kernel_map_range pool; // page aligned, below 4 GiB
};

// Bytes the pool needs at most.
uint64_t kernel_map_pool_size(const struct kernel_map_plan *plan);

// Builds the tables and loads them; returns the first address of the pool that was not used.
uint64_t kernel_map_init(const struct kernel_map_plan *plan);

// Where the image lies: what of RAM is never given away.
struct kernel_map_range kernel_map_image(void);

// The 512 entries of the root, and its physical address.
const uint64_t *kernel_map_root(void);
physical_t kernel_map_root_physical(void);
