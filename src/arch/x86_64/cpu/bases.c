// SPDX-License-Identifier: BSD-2-Clause
// FS and GS bases by the FSGSBASE instructions, or by MSR where the CPU lacks them. In the kernel
// the user's GS base is in KERNEL_GS_BASE, for the SWAPGS at the exit.
#include <cpu/bases.h>

#include <cpu/features.h>

void bases_save(struct context *save) {
	if (likely(feature_has(FEATURE_FSGSBASE))) return bases_save_fast(save);
	save->fs_base = msr_read(MSR_FS_BASE);
	save->gs_base = msr_read(MSR_KERNEL_GS_BASE);
}

void bases_load(const struct context *load) {
	// Loading GS changes its base, so the user's is swapped in for that moment.
	if (unlikely(bases_have_selectors()))
		asm volatile("mov %w0, %%ds; mov %w0, %%es; mov %w0, %%fs;"
			     "swapgs; mov %w0, %%gs; swapgs"
			     :
			     : "r"(0)
			     : "memory");
	if (likely(feature_has(FEATURE_FSGSBASE))) return bases_load_fast(load);
	msr_write(MSR_FS_BASE, load->fs_base);
	msr_write(MSR_KERNEL_GS_BASE, load->gs_base);
}
