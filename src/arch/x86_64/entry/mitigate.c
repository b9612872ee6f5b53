// SPDX-License-Identifier: BSD-2-Clause
// From CPUID to the mitigations of this core.
#include <entry/mitigate.h>

#include <cpu/platform.h>
#include <x86/cpuid.h>

static enum cpu_vendor vendor_read(void) {
	switch (cpuid(0, 0).ebx) { // the first four letters
	case 0x756e6547: return VENDOR_INTEL; // Genu
	case 0x68747541: // Auth
	case 0x6f677948: return VENDOR_AMD; // Hygo
	default: return VENDOR_OTHER;
	}
}

// Both makers keep it in this MSR, one in the upper half (SDM 3A 10.11.7.1, APM 2 19.4.1).
static uint32_t microcode_read(enum cpu_vendor vendor) {
	if (vendor == VENDOR_INTEL && !msr_try_write(MSR_MICROCODE, 0)) return 0;
	(void)cpuid(1, 0); // Intel's store it then
	return (uint32_t)(msr_read_any(MSR_MICROCODE) >> (vendor == VENDOR_INTEL ? 32 : 0));
}

static struct cpu_facts facts_read(void) {
	struct cpuid signature = cpuid_leaf(1, 0), seven = cpuid_leaf(7, 0);
	uint32_t family = signature.eax >> 8 & 0xf;
	struct cpu_facts facts = {
		.vendor = vendor_read(),
		.family = family == 0xf ? family + (signature.eax >> 20 & 0xff) : family,
		.model = (signature.eax >> 4 & 0xf) | (signature.eax >> 12 & 0xf0),
		.stepping = signature.eax & 0xf,
		.leaf_1_ecx = signature.ecx,
		.leaf_7_ebx = seven.ebx,
		.leaf_7_edx = seven.edx,
		.leaf_7_2_edx = seven.eax >= 2 ? cpuid_leaf(7, 2).edx : 0,
		.amd_1_ecx = cpuid_leaf(0x80000001, 0).ecx,
		.amd_8_ebx = cpuid_leaf(0x80000008, 0).ebx,
		.amd_21_eax = cpuid_leaf(0x80000021, 0).eax,
		.amd_21_ecx = cpuid_leaf(0x80000021, 0).ecx,
	};

	facts.microcode = microcode_read(facts.vendor);
	if (seven.edx & LEAF_7_EDX_CAPABILITIES)
		facts.capabilities = msr_read_any(MSR_ARCH_CAPABILITIES);
	return facts;
}

static void print_names(uint32_t set) {
	for (unsigned i = 0; i < MITIGATION_OPTIONS; i++)
		if (set >> i & 1) print(" %s", mitigation_names[i]);
}

static void report(const struct mitigations *mitigations) {
	print("mitigations:%s", mitigations->on & (MITIGATION_BIT(OPTIONS) - 1) ? "" : " none");
	print_names(mitigations->on);
	if (mitigations->on & MITIGATION_BIT(IBRS_ENTRY)) print(" (ibrs at each entry)");
	if (mitigations->on & MITIGATION_BIT(IBPB_SPACES)) print(" (ibpb at each switch)");
	if (mitigations->on & MITIGATION_BIT(BHI_SEQUENCE)) print(" (bhi by instructions)");
	if (mitigations->lacking) print("; this CPU lacks:");
	print_names(mitigations->lacking);
	print("\n");
}

// Of a mitigation that needs an MSR: a hypervisor or an emulator may not have it.
static void bits_choose(struct mitigations *mitigations, uint32_t mitigation, uint32_t msr,
	uint64_t set, uint64_t clear) {
	if (!(mitigations->on & mitigation) || msr_change(msr, set, clear)) return;
	mitigations->on &= ~mitigation;
	mitigations->lacking |= mitigation;
}

void mitigate_start(struct cpu *cpu, const unsigned options[OPTIONS]) {
	struct cpu_facts facts = facts_read();
	struct mitigations mitigations = mitigations_choose(&facts, options + OPTION_MITIGATIONS);

	cpu->start.microcode = facts.microcode;
	print("cpu: family %x, model %x, stepping %x, microcode %x\n", facts.family, facts.model,
		facts.stepping, facts.microcode);
	bits_choose(&mitigations, MITIGATION_BIT(LFENCE), MSR_DE_CFG, DE_CFG_LFENCE_SERIALISES, 0);
	bits_choose(&mitigations, MITIGATION_BIT(ZENBLEED), MSR_DE_CFG, DE_CFG_ZENBLEED, 0);
	bits_choose(&mitigations, MITIGATION_BIT(GDS), MSR_MCU_OPT_CTRL, 0, MCU_OPT_GDS_OFF);
	report(&mitigations);
	if (mitigations.spec_ctrl) msr_write(MSR_SPEC_CTRL, mitigations.spec_ctrl);
	if (mitigations.on & MITIGATION_BIT(IBRS) && !(mitigations.spec_ctrl & SPEC_CTRL_IBRS))
		msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_AIBRSE);
	// Kernel pages that programs' tables do not map must not stay in the TLB while they run.
	if (mitigations.on & MITIGATION_BIT(KPTI)) cr4_write(cr4_read() & ~(uint64_t)CR4_PGE);
	if (feature_has(FEATURE_SMAP)) mitigations.on |= MITIGATION_BIT(SMAP);
	mitigations.on |= feature_has(FEATURE_VMX) ? MITIGATION_BIT(VMX) : MITIGATION_BIT(SVM);
	cpu->mitigations = mitigations.on;
	cpu->spec_ctrl = mitigations.spec_ctrl;
	cpu->program_spec_ctrl = mitigations.spec_ctrl & ~(uint32_t)SPEC_CTRL_IBRS;
	if (mitigations.on & MITIGATION_BIT(KPTI))
		cpu->tss.rsp[0] = (uint64_t)(cpu->shown_stack + sizeof(cpu->shown_stack));
}
