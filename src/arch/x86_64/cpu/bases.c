// SPDX-License-Identifier: BSD-2-Clause
// FS and GS bases by the FSGSBASE instructions, or by MSR where the CPU lacks them. In the kernel
// the user's GS base waits in KERNEL_GS_BASE for the SWAPGS of the way out.
#include <cpu/bases.h>

#include <cpu/features.h>
#include <cpu/registers.h>

static uint64_t fs_base_read(void) {
	uint64_t value;

	asm volatile("rdfsbase %0" : "=r"(value));
	return value;
}

static void fs_base_write(uint64_t value) { asm volatile("wrfsbase %0" : : "r"(value)); }

void bases_save(struct context *save) {
	save->fs_base = feature_has(FEATURE_FSGSBASE) ? fs_base_read() : msr_read(MSR_FS_BASE);
	save->gs_base = msr_read(MSR_KERNEL_GS_BASE);
}

void bases_load(const struct context *load) {
	if (feature_has(FEATURE_FSGSBASE))
		fs_base_write(load->fs_base);
	else
		msr_write(MSR_FS_BASE, load->fs_base);
	msr_write(MSR_KERNEL_GS_BASE, load->gs_base);
}

static uint32_t selectors_read(void) {
	uint32_t ds, es, fs, gs;

	asm volatile("mov %%ds, %0" : "=r"(ds));
	asm volatile("mov %%es, %0" : "=r"(es));
	asm volatile("mov %%fs, %0" : "=r"(fs));
	asm volatile("mov %%gs, %0" : "=r"(gs));
	return (ds | es | fs | gs) & 0xffff;
}

// A program may load data selectors; the next one must not see them. Loading GS changes its base,
// so the user's is swapped in for that moment.
static void selectors_clear(void) {
	asm volatile("mov %w0, %%ds; mov %w0, %%es; mov %w0, %%fs" : : "r"(0));
	asm volatile("swapgs; mov %w0, %%gs; swapgs" : : "r"(0) : "memory");
}

void bases_switch(struct context *save, const struct context *load) {
	if (save) bases_save(save);
	if (selectors_read()) selectors_clear();
	bases_load(load);
}
