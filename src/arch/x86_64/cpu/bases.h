// SPDX-License-Identifier: BSD-2-Clause
// FS and GS base of threads, and their data selectors. Programs may change the bases with WRFSBASE,
// so while a thread runs only the CPU knows them.
#pragma once

#include <cpu/context.h>

// Stores the loaded bases.
void bases_save(struct context *save);

// Loads bases, and clears data selectors that a program has loaded.
void bases_load(const struct context *load);

// bases_save and bases_load in a row for CPUs with FSGSBASE; data selectors stay. The user's GS
// base waits behind SWAPGS.
static inline void bases_exchange(struct context *save, const struct context *load) {
	uint64_t fs, gs;

	asm volatile("rdfsbase %0; wrfsbase %2; swapgs; rdgsbase %1; wrgsbase %3; swapgs"
		     : "=&r"(fs), "=&r"(gs)
		     : "r"(load->fs_base), "r"(load->gs_base));
	save->fs_base = fs;
	save->gs_base = gs;
}
