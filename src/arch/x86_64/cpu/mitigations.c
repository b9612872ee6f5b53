// SPDX-License-Identifier: BSD-2-Clause
// One row a mitigation: which CPUs need it, and which support it. Names of bits as in SDM 4,
// IA32_ARCH_CAPABILITIES, SDM 2A, CPUID, and AMD's APM 3, appendix E. Lists of models are those of
// the makers' bulletins (docs/reference/boot-options.md).
#include <cpu/mitigations.h>

#include <base/compiler.h>
#include <stddef.h>
#include <x86/cpuid.h>
#include <x86/msr.h>

#define IN_ORDER MITIGATION_OPTIONS

#define INTEL(what, first, last, stepping) \
	{ what, VENDOR_INTEL, 6, first, last, stepping, UINT32_MAX }
#define AMD(what, family, first, last, cured) \
	{ what, VENDOR_AMD, family, first, last, 0, cured }

// Affected models where no bit says so (for iTLB multihit those not affected): models of a family
// from a stepping on, until a microcode revision with a fix.
static const struct models {
	uint8_t what; // enum mitigation, or IN_ORDER
	uint8_t vendor, family, first, last, stepping;
	uint32_t cured;
} models[] = {
	// The only 64-bit processors of Intel that do not execute speculatively: the first Atoms.
	INTEL(IN_ORDER, 0x1c, 0x1c, 0), INTEL(IN_ORDER, 0x26, 0x27, 0),
	INTEL(IN_ORDER, 0x35, 0x36, 0),
	// Of the affected ones those that do not isolate guests from the host.
	INTEL(MITIGATION_ITS, 0x55, 0x55, 6), INTEL(MITIGATION_ITS, 0x8e, 0x8e, 0xc),
	INTEL(MITIGATION_ITS, 0x9e, 0x9e, 0xd), INTEL(MITIGATION_ITS, 0xa5, 0xa6, 0),
	INTEL(MITIGATION_GDS, 0x4e, 0x4e, 0), INTEL(MITIGATION_GDS, 0x55, 0x55, 0),
	INTEL(MITIGATION_GDS, 0x5e, 0x5e, 0), INTEL(MITIGATION_GDS, 0x66, 0x66, 0),
	INTEL(MITIGATION_GDS, 0x6a, 0x6c, 0), INTEL(MITIGATION_GDS, 0x7d, 0x7e, 0),
	INTEL(MITIGATION_GDS, 0x8c, 0x8e, 0), INTEL(MITIGATION_GDS, 0x9e, 0x9e, 0),
	INTEL(MITIGATION_GDS, 0xa5, 0xa7, 0),
	// The later Atoms, up to Tremont.
	INTEL(MITIGATION_ITLB_MULTIHIT, 0x37, 0x37, 0),
	INTEL(MITIGATION_ITLB_MULTIHIT, 0x4a, 0x4d, 0),
	INTEL(MITIGATION_ITLB_MULTIHIT, 0x5a, 0x5d, 0),
	INTEL(MITIGATION_ITLB_MULTIHIT, 0x5f, 0x5f, 0),
	INTEL(MITIGATION_ITLB_MULTIHIT, 0x75, 0x7a, 0),
	INTEL(MITIGATION_ITLB_MULTIHIT, 0x86, 0x86, 0),
	INTEL(MITIGATION_ITLB_MULTIHIT, 0x96, 0x9c, 0),
	// Zen 2, Zen and Hygon's, Zen 3 and 4.
	AMD(MITIGATION_ZENBLEED, 0x17, 0x30, 0x4f, 0x0830107b),
	AMD(MITIGATION_ZENBLEED, 0x17, 0x60, 0x67, 0x0860010c),
	AMD(MITIGATION_ZENBLEED, 0x17, 0x68, 0x6f, 0x08608107),
	AMD(MITIGATION_ZENBLEED, 0x17, 0x70, 0x7f, 0x08701033),
	AMD(MITIGATION_ZENBLEED, 0x17, 0x90, 0xaf, 0x08a00009),
	AMD(MITIGATION_DIV0, 0x17, 0x00, 0x2f, UINT32_MAX),
	AMD(MITIGATION_DIV0, 0x17, 0x50, 0x5f, UINT32_MAX),
	AMD(MITIGATION_DIV0, 0x18, 0x00, 0xff, UINT32_MAX),
	AMD(MITIGATION_VERW, 0x19, 0x00, 0xff, UINT32_MAX)};

static bool is_listed(const struct cpu_facts *facts, unsigned what) {
	for (unsigned i = 0; i < array_count(models); i++) {
		const struct models *row = &models[i];

		if (row->what == what && row->vendor == facts->vendor &&
			row->family == facts->family && row->first <= facts->model &&
			row->last >= facts->model && row->stepping <= facts->stepping)
			// Above the last byte a revision names the model and stepping.
			return facts->microcode >> 8 != row->cured >> 8 ||
				facts->microcode < row->cured;
	}
	return false;
}

static bool is_in_order(const struct cpu_facts *facts) { return is_listed(facts, IN_ORDER); }

// An unknown maker's CPU counts as affected unless it says otherwise, AMD's never had these
// vulnerabilities. No bit says which CPUs read the registers behind CR0.TS speculatively
// (CVE-2018-3665), or past a SWAPGS.
static bool is_suspect(const struct cpu_facts *facts) {
	return facts->vendor != VENDOR_AMD && !is_in_order(facts);
}

static bool may_be_faulty(const struct cpu_facts *facts, uint64_t cure) {
	return is_suspect(facts) && (facts->capabilities & cure) != cure;
}

static bool is_virtual(const struct cpu_facts *facts) {
	return facts->leaf_1_ecx & LEAF_1_ECX_HYPERVISOR;
}

static bool has_vmx(const struct cpu_facts *facts) { return facts->leaf_1_ecx & LEAF_1_ECX_VMX; }

static bool has_guests(const struct cpu_facts *facts) {
	return has_vmx(facts) || facts->amd_1_ecx & EXTENDED_ECX_SVM;
}

static bool is_ibrs_constant(const struct cpu_facts *facts) {
	return facts->capabilities & ARCH_IBRS_ALL || facts->amd_8_ebx & AMD_8_EBX_IBRS_ALWAYS_ON ||
		facts->amd_21_eax & AMD_21_EAX_AUTOMATIC_IBRS;
}

static bool always(const struct cpu_facts *) { return true; }

static bool never(const struct cpu_facts *) { return false; }

static bool needs_kpti(const struct cpu_facts *facts) { return may_be_faulty(facts, ARCH_RDCL_NO); }

// MDS, TAA, stale data of MMIO, and of registers, and AMD's TSA: all mitigated by VERW.
static bool needs_verw(const struct cpu_facts *facts) {
	if (facts->vendor == VENDOR_AMD)
		return is_listed(facts, MITIGATION_VERW) &&
			(facts->amd_21_ecx & AMD_21_ECX_TSA_NO) != AMD_21_ECX_TSA_NO;
	return may_be_faulty(facts, ARCH_MDS_NO) ||
		(facts->leaf_7_ebx & LEAF_7_EBX_RTM && may_be_faulty(facts, ARCH_TAA_NO)) ||
		(facts->capabilities & ARCH_FB_CLEAR && may_be_faulty(facts, ARCH_MMIO_NO)) ||
		(facts->capabilities & ARCH_RFDS_CLEAR && may_be_faulty(facts, ARCH_RFDS_NO));
}

// Whether AMD's VERW does depends on its microcode, which only a hypervisor reports.
static bool has_verw(const struct cpu_facts *facts) {
	if (facts->vendor == VENDOR_AMD)
		return facts->amd_21_eax & AMD_21_EAX_VERW_CLEAR || !is_virtual(facts);
	return facts->leaf_7_edx & LEAF_7_EDX_MD_CLEAR ||
		facts->capabilities & (ARCH_FB_CLEAR | ARCH_RFDS_CLEAR);
}

static bool needs_l1d_flush(const struct cpu_facts *facts) {
	return has_vmx(facts) && may_be_faulty(facts, ARCH_RDCL_NO) &&
		may_be_faulty(facts, ARCH_SKIP_L1DFL_VMENTRY);
}

static bool needs_ibrs(const struct cpu_facts *facts) { return !is_in_order(facts); }

static bool needs_ibpb(const struct cpu_facts *facts) {
	return has_guests(facts) && !is_in_order(facts);
}

// With ARCH_IBRS_ALL a VM exit does it, except for the first return (PBRSB).
static bool needs_rsb(const struct cpu_facts *facts) {
	bool is_done_by_exit = facts->capabilities & ARCH_IBRS_ALL &&
		facts->capabilities & ARCH_PBRSB_NO;

	return needs_ibpb(facts) && !is_done_by_exit;
}

// A hypervisor has done it, or would refuse the MSR. Families Fh and 11h always do.
static bool needs_lfence(const struct cpu_facts *facts) {
	return facts->vendor == VENDOR_AMD && facts->family >= 0x10 && facts->family != 0x11 &&
		!(facts->amd_21_eax & AMD_21_EAX_LFENCE_SERIALISES) && !is_virtual(facts);
}

// With ARCH_IBRS_ALL, the branch history that chooses among its targets is not restricted.
static bool needs_bhi(const struct cpu_facts *facts) {
	return facts->capabilities & ARCH_IBRS_ALL && may_be_faulty(facts, ARCH_BHI_NO);
}

static bool needs_its(const struct cpu_facts *facts) {
	return has_vmx(facts) && !(facts->capabilities & ARCH_ITS_NO) &&
		is_listed(facts, MITIGATION_ITS);
}

static bool needs_gds(const struct cpu_facts *facts) {
	return facts->leaf_7_ebx & LEAF_7_EBX_AVX2 && !(facts->capabilities & ARCH_GDS_NO) &&
		is_listed(facts, MITIGATION_GDS);
}

static bool has_gds(const struct cpu_facts *facts) { return facts->capabilities & ARCH_GDS_CTRL; }

static bool needs_zenbleed(const struct cpu_facts *facts) {
	return is_listed(facts, MITIGATION_ZENBLEED) && !is_virtual(facts);
}

static bool needs_div0(const struct cpu_facts *facts) { return is_listed(facts, MITIGATION_DIV0); }

static bool needs_x87(const struct cpu_facts *facts) {
	return facts->vendor == VENDOR_AMD && !(facts->amd_8_ebx & AMD_8_EBX_ERROR_POINTERS);
}

static bool needs_itlb_multihit(const struct cpu_facts *facts) {
	return has_vmx(facts) && may_be_faulty(facts, ARCH_PSCHANGE_MC_NO) &&
		!is_listed(facts, MITIGATION_ITLB_MULTIHIT);
}

const struct mitigation_row mitigation_rows[MITIGATION_OPTIONS] = {
	[MITIGATION_KPTI] = {"kpti", needs_kpti, always},
	[MITIGATION_VERW] = {"verw", needs_verw, has_verw},
	[MITIGATION_L1D_FLUSH] = {"l1d-flush", needs_l1d_flush, NULL, LEAF_7_EDX_L1D_FLUSH},
	[MITIGATION_IBRS] = {"ibrs", needs_ibrs, NULL, LEAF_7_EDX_IBRS_IBPB, AMD_8_EBX_IBRS,
		AMD_21_EAX_AUTOMATIC_IBRS},
	[MITIGATION_IBPB] = {"ibpb", needs_ibpb, NULL, LEAF_7_EDX_IBRS_IBPB, AMD_8_EBX_IBPB},
	[MITIGATION_RSB] = {"rsb", needs_rsb, always},
	[MITIGATION_SSBD] = {"ssbd", never, NULL, LEAF_7_EDX_SSBD, AMD_8_EBX_SSBD},
	[MITIGATION_LFENCE] = {"lfence", needs_lfence, needs_lfence},
	[MITIGATION_EAGER_FPU] = {"eager-fpu", is_suspect, always},
	[MITIGATION_BHI] = {"bhi", needs_bhi, always},
	[MITIGATION_SWAPGS] = {"swapgs", is_suspect, always},
	[MITIGATION_ITS] = {"its", needs_its, NULL, LEAF_7_EDX_IBRS_IBPB, AMD_8_EBX_IBPB},
	[MITIGATION_GDS] = {"gds", needs_gds, has_gds},
	[MITIGATION_ZENBLEED] = {"zenbleed", needs_zenbleed, needs_zenbleed},
	[MITIGATION_DIV0] = {"div0", needs_div0, always},
	[MITIGATION_X87] = {"x87-pointers", needs_x87, always},
	[MITIGATION_ITLB_MULTIHIT] = {"itlb-multihit", needs_itlb_multihit, always},
};

static bool is_possible(const struct mitigation_row *row, const struct cpu_facts *facts) {
	if (row->is_possible) return row->is_possible(facts);
	return facts->leaf_7_edx & row->leaf_7_edx || facts->amd_8_ebx & row->amd_8_ebx ||
		facts->amd_21_eax & row->amd_21_eax;
}

static void choose_spec_ctrl(struct mitigations *mitigations, const struct cpu_facts *facts) {
	if (mitigations->on & MITIGATION_BIT(SSBD)) mitigations->spec_ctrl |= SPEC_CTRL_SSBD;
	if (mitigations->on & MITIGATION_BIT(BHI)) {
		if (facts->leaf_7_2_edx & LEAF_7_2_EDX_BHI_CTRL)
			mitigations->spec_ctrl |= SPEC_CTRL_BHI_DIS_S;
		else
			mitigations->on |= MITIGATION_BIT(BHI_SEQUENCE);
	}
	if (!(mitigations->on & MITIGATION_BIT(IBRS))) return;
	mitigations->is_ibrs_automatic = facts->amd_21_eax & AMD_21_EAX_AUTOMATIC_IBRS;
	if (!mitigations->is_ibrs_automatic) mitigations->spec_ctrl |= SPEC_CTRL_IBRS;
	if (!is_ibrs_constant(facts)) mitigations->on |= MITIGATION_BIT(IBRS_ENTRY);
}

struct mitigations mitigations_choose(const struct cpu_facts *facts, const unsigned *modes) {
	struct mitigations result = {};

	for (unsigned i = 0; i < MITIGATION_OPTIONS; i++) {
		bool is_wanted = modes[i] == MODE_ON || mitigation_rows[i].is_needed(facts);

		if (!is_wanted || modes[i] == MODE_OFF) continue;
		if (is_possible(&mitigation_rows[i], facts))
			result.on |= 1u << i;
		else
			result.lacking |= 1u << i;
	}
	if (result.on & MITIGATION_BIT(IBPB) && modes[MITIGATION_IBPB] == MODE_ON)
		result.on |= MITIGATION_BIT(IBPB_SPACES);
	// A write of CR3 waits for the SWAPGS too.
	if (result.on & MITIGATION_BIT(KPTI))
		result.on &= ~MITIGATION_BIT(SWAPGS);
	else
		result.on |= MITIGATION_BIT(NO_KPTI);
	result.on |= MITIGATION_BIT(ALWAYS);
	choose_spec_ctrl(&result, facts);
	return result;
}
