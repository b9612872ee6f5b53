// SPDX-License-Identifier: BSD-2-Clause
// Host state: what a VM exit loads.
#include <cpu/vmcs.h>

#include <base/compiler.h>
#include <cpu/registers.h>
#include <cpu/segments.h>
#include <cpu/vmx.h>

void vmcs_write_host(void) {
	// ES, DS, FS and GS, FS base, and what SYSENTER would use: the kernel has no use for them,
	// and bases_load loads a program's before it runs.
	static const uint32_t zero[] = {
		0x0c00, 0x0c06, 0x0c08, 0x0c0a, 0x6c06, 0x4c00, 0x6c10, 0x6c12};
	const struct cpu *cpu = this_cpu();
	const struct {
		uint32_t encoding;
		uint64_t value;
	} fields[] = {
		{0x0c02, SELECTOR_KERNEL_CODE}, // CS
		{0x0c04, SELECTOR_KERNEL_DATA}, // SS
		{0x0c0c, SELECTOR_TSS}, // TR
		{0x2c00, msr_read(MSR_PAT)},
		{0x2c02, msr_read(MSR_EFER)},
		{0x6c00, cr0_read() & ~(uint64_t)CR0_TS},
		{0x6c04, cr4_read()},
		{0x6c08, (uint64_t)cpu}, // GS base
		{0x6c0a, segments_tss_base()},
		{0x6c0c, (uint64_t)segments_gdt.base},
		{0x6c0e, (uint64_t)segments_idt.base},
		{0x6c14, cpu->kernel_stack},
	};

	for (unsigned i = 0; i < array_count(zero); i++)
		vmcs_write(VMCS_FIELD(zero[i]), 0);
	for (unsigned i = 0; i < array_count(fields); i++)
		vmcs_write(VMCS_FIELD(fields[i].encoding), fields[i].value);
	if (vmx_apply(VMX_EXIT, 0) & EXIT_LOAD_PERF)
		vmcs_write(VMCS_FIELD(0x2c04), 0); // PERF_GLOBAL_CTRL: no counter runs
}

void vmcs_restore_limits(void) { asm volatile("lgdt %0" : : "m"(segments_gdt)); }
