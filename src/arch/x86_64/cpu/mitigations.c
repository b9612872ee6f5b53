// SPDX-License-Identifier: BSD-2-Clause
// Which CPUs need a mitigation, and which support it. Names of bits as in SDM 4,
// IA32_ARCH_CAPABILITIES, SDM 2A, CPUID, and AMD's APM 3, appendix E. Lists of models are those of
// the makers' bulletins (docs/reference/boot-options.md).
#include <cpu/mitigations.h>

#include <x86/cpuid.h>
#include <x86/msr.h>

#define MITIGATION_IN_ORDER MITIGATION_OPTIONS

// In the order of enum mitigation.
const char *const mitigation_names[MITIGATION_OPTIONS] = {"kpti", "verw", "l1d-flush", "ibrs",
	"ibpb", "rsb", "ssbd", "lfence", "eager-fpu", "bhi", "swapgs", "its", "gds", "zenbleed",
	"div0", "x87-pointers", "itlb-multihit"};

#define INTEL(what, first, last, stepping) \
	{ MITIGATION_##what, VENDOR_INTEL, 6, first, last, stepping, UINT32_MAX }
#define AMD(what, family, first, last, cured) \
	{ MITIGATION_##what, VENDOR_AMD, family, first, last, 0, cured }

// Affected models where no bit says so (for iTLB multihit those not affected): models of a family
// from a stepping on, until a microcode revision with a fix.
static const struct models {
	uint8_t what; // enum mitigation, or MITIGATION_IN_ORDER
	uint8_t vendor, family, first, last, stepping;
	uint32_t cured;
} models[] = {
	// The only 64-bit processors of Intel that do not execute speculatively: the first Atoms.
	INTEL(IN_ORDER, 0x1c, 0x1c, 0), INTEL(IN_ORDER, 0x26, 0x27, 0),
	INTEL(IN_ORDER, 0x35, 0x36, 0),
	// Of the affected ones those that do not isolate guests from the host.
	INTEL(ITS, 0x55, 0x55, 6), INTEL(ITS, 0x8e, 0x8e, 0xc), INTEL(ITS, 0x9e, 0x9e, 0xd),
	INTEL(ITS, 0xa5, 0xa6, 0), INTEL(GDS, 0x4e, 0x4e, 0), INTEL(GDS, 0x55, 0x55, 0),
	INTEL(GDS, 0x5e, 0x5e, 0), INTEL(GDS, 0x66, 0x66, 0), INTEL(GDS, 0x6a, 0x6c, 0),
	INTEL(GDS, 0x7d, 0x7e, 0), INTEL(GDS, 0x8c, 0x8e, 0), INTEL(GDS, 0x9e, 0x9e, 0),
	INTEL(GDS, 0xa5, 0xa7, 0),
	// The later Atoms, up to Tremont.
	INTEL(ITLB_MULTIHIT, 0x37, 0x37, 0), INTEL(ITLB_MULTIHIT, 0x4a, 0x4d, 0),
	INTEL(ITLB_MULTIHIT, 0x5a, 0x5d, 0), INTEL(ITLB_MULTIHIT, 0x5f, 0x5f, 0),
	INTEL(ITLB_MULTIHIT, 0x75, 0x7a, 0), INTEL(ITLB_MULTIHIT, 0x86, 0x86, 0),
	INTEL(ITLB_MULTIHIT, 0x96, 0x9c, 0),
	// Zen 2, Zen and Hygon's, Zen 3 and 4.
	AMD(ZENBLEED, 0x17, 0x30, 0x4f, 0x0830107b), AMD(ZENBLEED, 0x17, 0x60, 0x67, 0x0860010c),
	AMD(ZENBLEED, 0x17, 0x68, 0x6f, 0x08608107), AMD(ZENBLEED, 0x17, 0x70, 0x7f, 0x08701033),
	AMD(ZENBLEED, 0x17, 0x90, 0xaf, 0x08a00009), AMD(DIV0, 0x17, 0x00, 0x2f, UINT32_MAX),
	AMD(DIV0, 0x17, 0x50, 0x5f, UINT32_MAX), AMD(DIV0, 0x18, 0x00, 0xff, UINT32_MAX),
	AMD(VERW, 0x19, 0x00, 0xff, UINT32_MAX)};

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

static bool is_in_order(const struct cpu_facts *facts) {
	return is_listed(facts, MITIGATION_IN_ORDER);
}

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

static bool is_ibrs_constant(const struct cpu_facts *facts) {
	return facts->capabilities & ARCH_IBRS_ALL || facts->amd_8_ebx & AMD_8_EBX_IBRS_ALWAYS_ON ||
		facts->amd_21_eax & AMD_21_EAX_AUTOMATIC_IBRS;
}

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

// Whether the CPU needs the mitigation, unless its option decides. is_among: a model listed for it.
static bool is_needed(const struct cpu_facts *facts, unsigned mitigation) {
	const uint64_t fills_returns = ARCH_IBRS_ALL | ARCH_PBRSB_NO;
	bool is_amd = facts->vendor == VENDOR_AMD, is_among = is_listed(facts, mitigation);
	bool has_vmx = facts->leaf_1_ecx & LEAF_1_ECX_VMX;
	bool has_guests = has_vmx || facts->amd_1_ecx & EXTENDED_ECX_SVM;

	switch (mitigation) {
	case MITIGATION_KPTI: return may_be_faulty(facts, ARCH_RDCL_NO);
	case MITIGATION_VERW: return needs_verw(facts);
	case MITIGATION_L1D_FLUSH:
		return has_vmx && may_be_faulty(facts, ARCH_RDCL_NO) &&
			may_be_faulty(facts, ARCH_SKIP_L1DFL_VMENTRY);
	case MITIGATION_IBRS: return !is_in_order(facts);
	case MITIGATION_IBPB: return has_guests && !is_in_order(facts);
	// With ARCH_IBRS_ALL a VM exit does it, except for the first return (PBRSB).
	case MITIGATION_RSB:
		return has_guests && !is_in_order(facts) &&
			(facts->capabilities & fills_returns) != fills_returns;
	// A hypervisor has done it, or would refuse the MSR. Families Fh and 11h always do.
	case MITIGATION_LFENCE:
		return is_amd && facts->family >= 0x10 && facts->family != 0x11 &&
			!(facts->amd_21_eax & AMD_21_EAX_LFENCE_SERIALISES) && !is_virtual(facts);
	case MITIGATION_EAGER_FPU:
	case MITIGATION_SWAPGS: return is_suspect(facts);
	// With ARCH_IBRS_ALL, the branch history that chooses among its targets is not restricted.
	case MITIGATION_BHI:
		return facts->capabilities & ARCH_IBRS_ALL && may_be_faulty(facts, ARCH_BHI_NO);
	case MITIGATION_ITS: return has_vmx && is_among && !(facts->capabilities & ARCH_ITS_NO);
	case MITIGATION_GDS:
		return is_among && facts->leaf_7_ebx & LEAF_7_EBX_AVX2 &&
			!(facts->capabilities & ARCH_GDS_NO);
	case MITIGATION_ZENBLEED: return is_among && !is_virtual(facts);
	case MITIGATION_DIV0: return is_among;
	case MITIGATION_X87: return is_amd && !(facts->amd_8_ebx & AMD_8_EBX_ERROR_POINTERS);
	case MITIGATION_ITLB_MULTIHIT:
		return has_vmx && !is_among && may_be_faulty(facts, ARCH_PSCHANGE_MC_NO);
	default: return false;
	}
}

static bool is_possible(const struct cpu_facts *facts, unsigned mitigation) {
	bool has_ibrs_ibpb = facts->leaf_7_edx & LEAF_7_EDX_IBRS_IBPB;

	switch (mitigation) {
	case MITIGATION_VERW: return has_verw(facts);
	case MITIGATION_L1D_FLUSH: return facts->leaf_7_edx & LEAF_7_EDX_L1D_FLUSH;
	case MITIGATION_IBRS:
		return has_ibrs_ibpb || facts->amd_8_ebx & AMD_8_EBX_IBRS ||
			facts->amd_21_eax & AMD_21_EAX_AUTOMATIC_IBRS;
	case MITIGATION_IBPB:
	case MITIGATION_ITS: return has_ibrs_ibpb || facts->amd_8_ebx & AMD_8_EBX_IBPB;
	case MITIGATION_SSBD:
		return facts->leaf_7_edx & LEAF_7_EDX_SSBD || facts->amd_8_ebx & AMD_8_EBX_SSBD;
	case MITIGATION_LFENCE:
	case MITIGATION_ZENBLEED: return is_needed(facts, mitigation);
	case MITIGATION_GDS: return facts->capabilities & ARCH_GDS_CTRL;
	default: return true;
	}
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
	if (!(facts->amd_21_eax & AMD_21_EAX_AUTOMATIC_IBRS))
		mitigations->spec_ctrl |= SPEC_CTRL_IBRS;
	if (!is_ibrs_constant(facts)) mitigations->on |= MITIGATION_BIT(IBRS_ENTRY);
}

struct mitigations mitigations_choose(const struct cpu_facts *facts, const unsigned *modes) {
	struct mitigations result = {};

	for (unsigned i = 0; i < MITIGATION_OPTIONS; i++) {
		bool is_wanted = modes[i] == MODE_ON || is_needed(facts, i);

		if (!is_wanted || modes[i] == MODE_OFF) continue;
		if (is_possible(facts, i))
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
