// SPDX-License-Identifier: BSD-2-Clause
// FS and GS base of threads, and their data selectors. Programs may change the bases with WRFSBASE,
// so while a thread runs only the CPU knows them.
#pragma once

#include <cpu/context.h>

// Stores the loaded bases.
void bases_save(struct context *save);

// Loads bases, and makes null the data selectors that a program has loaded: the next one must not
// see them.
void bases_load(const struct context *load);

// True if a program has loaded data selectors.
static inline bool bases_have_selectors(void) {
	uint32_t ds, es, fs, gs;

	asm volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
		     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	return (uint16_t)(ds | es | fs | gs) != 0;
}

// bases_save in line, for CPUs with FSGSBASE.
static inline void bases_save_fast(struct context *save) {
	asm volatile("rdfsbase %0; swapgs; rdgsbase %1; swapgs"
		     : "=&r"(save->fs_base), "=&r"(save->gs_base));
}

// bases_load in line, for CPUs with FSGSBASE; data selectors stay.
static inline void bases_load_fast(const struct context *load) {
	asm volatile("wrfsbase %0; swapgs; wrgsbase %1; swapgs"
		     :
		     : "r"(load->fs_base), "r"(load->gs_base));
}

// bases_save and bases_load in one step for CPUs with FSGSBASE; data selectors stay. The user's GS
// base is the one behind SWAPGS.
static inline void bases_exchange(struct context *save, const struct context *load) {
	uint64_t fs, gs;

	asm volatile("rdfsbase %0; wrfsbase %2; swapgs; rdgsbase %1; wrgsbase %3; swapgs"
		     : "=&r"(fs), "=&r"(gs)
		     : "r"(load->fs_base), "r"(load->gs_base));
	save->fs_base = fs;
	save->gs_base = gs;
}
