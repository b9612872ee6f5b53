// SPDX-License-Identifier: BSD-2-Clause
// CPUID bits by name (SDM 2A, CPUID) and what they switch on.
#include <cpu/features.h>

#include <base/compiler.h>
#include <cpu/print.h>
#include <cpu/registers.h>

enum { REQUIRED = 1, EAX = 0, EBX = 1, ECX = 2, EDX = 3 };

struct feature_row {
	const char *name;
	uint32_t leaf;
	uint8_t subleaf;
	uint8_t output; // EAX..EDX
	uint8_t bit;
	uint8_t required;
};

static const struct feature_row rows[FEATURE_COUNT] = {
	[FEATURE_FXSR] = {"fxsr", 1, 0, EDX, 24, REQUIRED},
	[FEATURE_SSE2] = {"sse2", 1, 0, EDX, 26, REQUIRED},
	[FEATURE_APIC] = {"apic", 1, 0, EDX, 9, REQUIRED},
	[FEATURE_TSC] = {"tsc", 1, 0, EDX, 4, REQUIRED},
	[FEATURE_MSR] = {"msr", 1, 0, EDX, 5, REQUIRED},
	[FEATURE_PGE] = {"global pages", 1, 0, EDX, 13, REQUIRED},
	[FEATURE_PAT] = {"pat", 1, 0, EDX, 16, REQUIRED},
	[FEATURE_XSAVE] = {"xsave", 1, 0, ECX, 26, REQUIRED},
	[FEATURE_SYSCALL] = {"syscall", 0x80000001, 0, EDX, 11, REQUIRED},
	[FEATURE_NX] = {"nx", 0x80000001, 0, EDX, 20, REQUIRED},
	[FEATURE_LONG_MODE] = {"long mode", 0x80000001, 0, EDX, 29, REQUIRED},
	[FEATURE_X2APIC] = {"x2apic", 1, 0, ECX, 21, 0},
	[FEATURE_TSC_DEADLINE] = {"tsc-deadline", 1, 0, ECX, 24, 0},
	[FEATURE_AVX] = {"avx", 1, 0, ECX, 28, 0},
	[FEATURE_XSAVEOPT] = {"xsaveopt", 0xd, 1, EAX, 0, 0},
	[FEATURE_FSGSBASE] = {"fsgsbase", 7, 0, EBX, 0, 0},
	[FEATURE_SMEP] = {"smep", 7, 0, EBX, 7, 0},
	[FEATURE_SMAP] = {"smap", 7, 0, EBX, 20, 0},
	[FEATURE_UMIP] = {"umip", 7, 0, ECX, 2, 0},
	[FEATURE_GIB_PAGES] = {"1gib-pages", 0x80000001, 0, EDX, 26, 0},
	[FEATURE_INVARIANT_TSC] = {"invariant-tsc", 0x80000007, 0, EDX, 8, 0},
	[FEATURE_VMX] = {"vmx", 1, 0, ECX, 5, 0},
	[FEATURE_HYPERVISOR] = {"hypervisor", 1, 0, ECX, 31, 0},
};

// Written by features_detect only.
static uint64_t present;

bool feature_has(enum feature feature) { return present >> feature & 1; }

static bool row_read(const struct feature_row *row) {
	uint32_t highest = cpuid(row->leaf & 0x80000000u, 0).eax;
	struct cpuid regs;
	uint32_t outputs[4];

	if (row->leaf > highest) return false;
	regs = cpuid(row->leaf, row->subleaf);
	outputs[EAX] = regs.eax;
	outputs[EBX] = regs.ebx;
	outputs[ECX] = regs.ecx;
	outputs[EDX] = regs.edx;
	return outputs[row->output] >> row->bit & 1;
}

static void print_brand(void) {
	struct cpuid brand[3] = {};
	const char *text = (const char *)brand;

	if (cpuid(0x80000000u, 0).eax >= 0x80000004u) {
		for (uint32_t i = 0; i < array_count(brand); i++)
			brand[i] = cpuid(0x80000002u + i, 0);
	}
	while (*text == ' ')
		text++;
	print("cpu: %.48s\n", *text ? text : "unnamed");
}

bool features_detect(void) {
	bool complete = true;

	for (unsigned i = 0; i < FEATURE_COUNT; i++) {
		if (row_read(&rows[i])) present |= 1ul << i;
	}
	print_brand();
	print("cpu:");
	for (unsigned i = 0; i < FEATURE_COUNT; i++) {
		if (!rows[i].required && feature_has(i)) print(" %s", rows[i].name);
	}
	print("\n");
	for (unsigned i = 0; i < FEATURE_COUNT; i++) {
		if (rows[i].required && !feature_has(i)) {
			print("cpu: Nacre needs the CPU feature \"%s\", which is missing\n",
				rows[i].name);
			complete = false;
		}
	}
	return complete;
}

void features_enable(void) {
	uint64_t cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE;

	cr0_write(CR0_PG | CR0_AM | CR0_WP | CR0_NE | CR0_MP | CR0_PE);
	// The kernel reaches user memory by the physical window only, so SMAP needs no STAC.
	cr4 |= feature_has(FEATURE_SMEP) ? CR4_SMEP : 0;
	cr4 |= feature_has(FEATURE_SMAP) ? CR4_SMAP : 0;
	cr4 |= feature_has(FEATURE_UMIP) ? CR4_UMIP : 0;
	cr4 |= feature_has(FEATURE_FSGSBASE) ? CR4_FSGSBASE : 0;
	cr4_write(cr4);
	msr_write(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
}
