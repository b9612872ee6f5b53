// SPDX-License-Identifier: BSD-2-Clause
// CPUID bits by name (SDM 2A, CPUID) and what they switch on.
#include <cpu/features.h>

#include <cpu/console.h>
#include <cpu/paging.h>

enum { EAX, EBX, ECX, EDX };

struct feature_row {
	const char *name;
	uint32_t leaf;
	uint8_t subleaf;
	uint8_t output; // EAX..EDX
	uint8_t bit;
	uint32_t cr4; // what switches it on
};

static const struct feature_row required[] = {
	{"fxsr", 1, 0, EDX, 24, CR4_OSFXSR},
	{"sse2", 1, 0, EDX, 26, CR4_OSXMMEXCPT},
	{"apic", 1, 0, EDX, 9, 0},
	{"tsc", 1, 0, EDX, 4, 0},
	{"msr", 1, 0, EDX, 5, 0},
	{"global pages", 1, 0, EDX, 13, CR4_PGE},
	{"pat", 1, 0, EDX, 16, 0},
	{"xsave", 1, 0, ECX, 26, CR4_OSXSAVE},
	{"xsave of sse", 0xd, 0, EAX, 1, 0},
	{"syscall", 0x80000001, 0, EDX, 11, 0},
};

static const struct feature_row optional[] = {
	[FEATURE_X2APIC] = {"x2apic", 1, 0, ECX, 21, 0},
	[FEATURE_TSC_DEADLINE] = {"tsc-deadline", 1, 0, ECX, 24, 0},
	[FEATURE_XSAVEOPT] = {"xsaveopt", 0xd, 1, EAX, 0, 0},
	[FEATURE_FSGSBASE] = {"fsgsbase", 7, 0, EBX, 0, CR4_FSGSBASE},
	// PCIDs are switched on when CR3 holds the kernel's own tables (space.c).
	[FEATURE_PCID] = {"pcid", 1, 0, ECX, 17, 0},
	[FEATURE_INVPCID] = {"invpcid", 7, 0, EBX, 10, 0},
	// The kernel reaches user memory by the physical window only, so SMAP needs no STAC.
	[FEATURE_SMAP] = {"smap", 7, 0, EBX, 20, CR4_SMAP},
	[FEATURE_GIB_PAGES] = {"1gib-pages", 0x80000001, 0, EDX, 26, 0},
	[FEATURE_VMX] = {"vmx", 1, 0, ECX, 5, 0},
	[FEATURE_SVM] = {"svm", 0x80000001, 0, ECX, 2, 0},
	// Not more than was enabled and reported.
	{"avx", 1, 0, ECX, 28, 0},
	{"smep", 7, 0, EBX, 7, CR4_SMEP},
	{"umip", 7, 0, ECX, 2, CR4_UMIP},
	{"mce", 1, 0, EDX, 7, CR4_MCE},
	{"invariant-tsc", 0x80000007, 0, EDX, 8, 0},
};

struct cpuid cpuid_leaf(uint32_t leaf, uint32_t subleaf) {
	bool exists = leaf <= cpuid(leaf & 0x80000000u, 0).eax;

	return exists ? cpuid(leaf, subleaf) : (struct cpuid){};
}

static bool row_read(const struct feature_row *row) {
	struct cpuid regs = cpuid_leaf(row->leaf, row->subleaf);
	const uint32_t outputs[] = {regs.eax, regs.ebx, regs.ecx, regs.edx};

	return outputs[row->output] >> row->bit & 1;
}

bool features_init(uint64_t hidden) {
	uint64_t cr4 = CR4_PAE;
	bool complete = true;
	struct cpuid brand[3];

	// Firmware may hide all leaves above 3, for old systems (SDM 4, IA32_MISC_ENABLE).
	(void)msr_change(MSR_MISC_ENABLE, 0, MISC_ENABLE_LIMIT_CPUID);
	for (uint32_t i = 0; i < array_count(brand); i++)
		brand[i] = cpuid_leaf(0x80000002u + i, 0);
	print("cpu: %.48s\ncpu:", (const char *)brand);
	for (unsigned i = 0; i < array_count(optional); i++) {
		if (hidden >> i & 1 || !row_read(&optional[i])) continue;
		this_cpu()->features |= 1ul << i;
		cr4 |= optional[i].cr4;
		print(" %s", optional[i].name);
	}
	print("\n");
	for (unsigned i = 0; i < array_count(required); i++) {
		cr4 |= required[i].cr4;
		if (row_read(&required[i])) continue;
		print("cpu: Nacre needs the CPU feature \"%s\", which is missing\n",
			required[i].name);
		complete = false;
	}
	if (!complete) return false;
	cr0_write(CR0_PG | CR0_AM | CR0_WP | CR0_NE | CR0_MP | CR0_PE);
	cr4_write(cr4);
	msr_write(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
	msr_write(MSR_PAT, PAGING_PAT);
	// State that firmware or loader may have left: breakpoints, branch tracing, SYSENTER.
	dr7_write(DR7_FIXED);
	(void)msr_try_write(MSR_DEBUGCTL, 0);
	(void)msr_try_write(MSR_SYSENTER_CS, 0);
	return true;
}
