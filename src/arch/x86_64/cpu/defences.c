// SPDX-License-Identifier: BSD-2-Clause
// One row a defence: who needs it, who has it. Names of bits as in SDM 4, IA32_ARCH_CAPABILITIES,
// SDM 2A, CPUID, and AMD's APM 3, appendix E.
#include <cpu/defences.h>

#include <base/compiler.h>

enum leaf_1_ecx { VMX = 1 << 5 };
#define HYPERVISOR (1u << 31)

enum leaf_7 {
	RTM = 1 << 11, // EBX
	MD_CLEAR = 1 << 10, // EDX
	IBRS_IBPB = 1 << 26,
	L1D_FLUSH = 1 << 28,
	BHI_CTRL = 1 << 4, // subleaf 2, EDX
};
#define SSBD (1u << 31) // EDX

enum amd_8_ebx {
	AMD_IBPB = 1 << 12,
	AMD_IBRS = 1 << 14,
	AMD_IBRS_ALWAYS_ON = 1 << 16,
	AMD_SSBD = 1 << 24,
};

enum amd_21_eax { AMD_LFENCE_SERIALISES = 1 << 2, AMD_AUTOMATIC_IBRS = 1 << 8 };

enum capability {
	RDCL_NO = 1 << 0, // neither Meltdown nor L1TF
	IBRS_ALL = 1 << 1, // IBRS may stay on
	SKIP_L1DFL_VMENTRY = 1 << 3,
	MDS_NO = 1 << 5,
	TAA_NO = 1 << 8,
	MMIO_NO = 7 << 13, // SBDR_SSDP_NO, FBSDP_NO, PSDP_NO
	FB_CLEAR = 1 << 17,
	BHI_NO = 1 << 20,
	PBRSB_NO = 1 << 24,
	RFDS_NO = 1 << 27,
	RFDS_CLEAR = 1 << 28,
};

// The only 64-bit processors of Intel that do not execute speculatively: the first Atoms.
static bool is_in_order(const struct cpu_facts *facts) {
	static const uint8_t models[] = {0x1c, 0x26, 0x27, 0x35, 0x36};

	for (unsigned i = 0; i < array_count(models); i++) {
		if (facts->vendor == VENDOR_INTEL && facts->family == 6 &&
			facts->model == models[i])
			return true;
	}
	return false;
}

// An unknown maker's CPU counts as faulty unless it says otherwise, AMD's never had these faults.
static bool may_be_faulty(const struct cpu_facts *facts, uint64_t cure) {
	if (facts->vendor == VENDOR_AMD || is_in_order(facts)) return false;
	return (facts->capabilities & cure) != cure;
}

static bool has_vmx(const struct cpu_facts *facts) { return facts->leaf_1_ecx & VMX; }

static bool is_ibrs_constant(const struct cpu_facts *facts) {
	return facts->capabilities & IBRS_ALL || facts->amd_8_ebx & AMD_IBRS_ALWAYS_ON ||
		facts->amd_21_eax & AMD_AUTOMATIC_IBRS;
}

static bool always(const struct cpu_facts *) { return true; }

static bool never(const struct cpu_facts *) { return false; }

static bool needs_kpti(const struct cpu_facts *facts) { return may_be_faulty(facts, RDCL_NO); }

// MDS, TAA, stale data of MMIO, and of registers: each cured by VERW where it is enumerated.
static bool needs_verw(const struct cpu_facts *facts) {
	return may_be_faulty(facts, MDS_NO) ||
		(facts->leaf_7_ebx & RTM && may_be_faulty(facts, TAA_NO)) ||
		(facts->capabilities & FB_CLEAR && may_be_faulty(facts, MMIO_NO)) ||
		(facts->capabilities & RFDS_CLEAR && may_be_faulty(facts, RFDS_NO));
}

static bool has_verw(const struct cpu_facts *facts) {
	return facts->leaf_7_edx & MD_CLEAR || facts->capabilities & (FB_CLEAR | RFDS_CLEAR);
}

static bool needs_l1d_flush(const struct cpu_facts *facts) {
	return has_vmx(facts) && may_be_faulty(facts, RDCL_NO) &&
		may_be_faulty(facts, SKIP_L1DFL_VMENTRY);
}

static bool has_l1d_flush(const struct cpu_facts *facts) { return facts->leaf_7_edx & L1D_FLUSH; }

static bool needs_ibrs(const struct cpu_facts *facts) { return !is_in_order(facts); }

static bool has_ibrs(const struct cpu_facts *facts) {
	return facts->leaf_7_edx & IBRS_IBPB || facts->amd_8_ebx & AMD_IBRS ||
		facts->amd_21_eax & AMD_AUTOMATIC_IBRS;
}

static bool needs_ibpb(const struct cpu_facts *facts) {
	return has_vmx(facts) && !is_in_order(facts);
}

static bool has_ibpb(const struct cpu_facts *facts) {
	return facts->leaf_7_edx & IBRS_IBPB || facts->amd_8_ebx & AMD_IBPB;
}

// With IBRS that stays on a VM exit does it, but for the first return (PBRSB).
static bool needs_rsb(const struct cpu_facts *facts) {
	bool is_done_by_exit = facts->capabilities & IBRS_ALL && facts->capabilities & PBRSB_NO;

	return needs_ibpb(facts) && !is_done_by_exit;
}

static bool has_ssbd(const struct cpu_facts *facts) {
	return facts->leaf_7_edx & SSBD || facts->amd_8_ebx & AMD_SSBD;
}

// A hypervisor has done it, or would refuse the MSR.
static bool needs_lfence(const struct cpu_facts *facts) {
	return facts->vendor == VENDOR_AMD && facts->family >= 0x10 &&
		!(facts->amd_21_eax & AMD_LFENCE_SERIALISES) && !(facts->leaf_1_ecx & HYPERVISOR);
}

// No bit tells who reads the registers behind CR0.TS ahead of time (CVE-2018-3665).
static bool needs_eager_fpu(const struct cpu_facts *facts) {
	return facts->vendor != VENDOR_AMD && !is_in_order(facts);
}

static const struct {
	bool (*is_needed)(const struct cpu_facts *facts);
	bool (*is_possible)(const struct cpu_facts *facts);
} rows[DEFENCE_OPTIONS] = {
	[DEFENCE_KPTI] = {needs_kpti, always},
	[DEFENCE_VERW] = {needs_verw, has_verw},
	[DEFENCE_L1D_FLUSH] = {needs_l1d_flush, has_l1d_flush},
	[DEFENCE_IBRS] = {needs_ibrs, has_ibrs},
	[DEFENCE_IBPB] = {needs_ibpb, has_ibpb},
	[DEFENCE_RSB] = {needs_rsb, always},
	[DEFENCE_SSBD] = {never, has_ssbd},
	[DEFENCE_LFENCE] = {needs_lfence, needs_lfence},
	[DEFENCE_EAGER_FPU] = {needs_eager_fpu, always},
};

const char *const defence_names[DEFENCE_OPTIONS] = {
	[DEFENCE_KPTI] = "kpti",
	[DEFENCE_VERW] = "verw",
	[DEFENCE_L1D_FLUSH] = "l1d-flush",
	[DEFENCE_IBRS] = "ibrs",
	[DEFENCE_IBPB] = "ibpb",
	[DEFENCE_RSB] = "rsb",
	[DEFENCE_SSBD] = "ssbd",
	[DEFENCE_LFENCE] = "lfence",
	[DEFENCE_EAGER_FPU] = "eager-fpu",
};

static void choose_spec_ctrl(struct defences *defences, const struct cpu_facts *facts) {
	if (defences->on & DEFENCE_BIT(SSBD)) defences->spec_ctrl |= SPEC_CTRL_SSBD;
	if (!(defences->on & DEFENCE_BIT(IBRS))) return;
	defences->is_ibrs_automatic = facts->amd_21_eax & AMD_AUTOMATIC_IBRS;
	if (!defences->is_ibrs_automatic) defences->spec_ctrl |= SPEC_CTRL_IBRS;
	if (facts->leaf_7_2_edx & BHI_CTRL && may_be_faulty(facts, BHI_NO))
		defences->spec_ctrl |= SPEC_CTRL_BHI_DIS_S;
	if (!is_ibrs_constant(facts)) defences->on |= DEFENCE_BIT(IBRS_ENTRY);
}

struct defences defences_choose(const struct cpu_facts *facts, const enum wish *wishes) {
	struct defences result = {};

	for (unsigned i = 0; i < DEFENCE_OPTIONS; i++) {
		bool is_wanted = wishes[i] == WISH_ON || rows[i].is_needed(facts);

		if (!is_wanted || wishes[i] == WISH_OFF) continue;
		if (rows[i].is_possible(facts))
			result.on |= 1u << i;
		else
			result.lacking |= 1u << i;
	}
	if (result.on & DEFENCE_BIT(IBPB) && wishes[DEFENCE_IBPB] == WISH_ON)
		result.on |= DEFENCE_BIT(IBPB_SPACES);
	choose_spec_ctrl(&result, facts);
	return result;
}
