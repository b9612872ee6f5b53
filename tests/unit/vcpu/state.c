// SPDX-License-Identifier: BSD-2-Clause
// Which guests have a SPEC_CTRL of their own, and which MSRs they may touch, by what CPUID says.
#include "../check.h"

#include <base/compiler.h>
#include <base/panic.h>
#include <cpu/features.h>
#include <cpu/mitigations.h>
#include <cpu/platform.h>
#include <guest/engine.h>
#include <stdlib.h>
#include <x86/cpuid.h>
#include <x86/msr.h>

enum { IS_AMD = 1ul << FEATURE_SVM };

#define AT_ENTRY MITIGATION_BIT(IBRS_ENTRY)

static void prepare(struct cpu *, struct guest *, physical_t) {}

static const struct guest_engine engine = {.msrs = GUEST_MSRS, .prepare = prepare};
static struct platform platform;
static struct cpu cpu = {.engine = &engine, .platform = &platform};
static struct guest guest;
static uint32_t seven_edx, eight_ebx, extended_edx;

void panic(const char *, ...) { abort(); }

struct cpu *this_cpu(void) {
	return &cpu;
}

struct cpuid cpuid_leaf(uint32_t leaf, uint32_t) {
	switch (leaf) {
	case LEAF_STRUCTURED: return (struct cpuid){.edx = seven_edx};
	case LEAF_ADDRESS_SIZES: return (struct cpuid){.ebx = eight_ebx};
	case LEAF_EXTENDED_FEATURES: return (struct cpuid){.edx = extended_edx};
	default: return (struct cpuid){};
	}
}

static void offered(void) {
	static const struct {
		uint64_t features;
		uint32_t mitigations, seven_edx, eight_ebx, svm_edx;
		bool has, is_open, has_ibpb;
	} rows[] = {
		{0, 0, 0, 0, 0, false, false, false},
		{0, 0, LEAF_7_EDX_SSBD, 0, 0, true, false, false},
		{0, AT_ENTRY, LEAF_7_EDX_IBRS_IBPB, 0, 0, true, false, true},
		{IS_AMD, 0, 0, AMD_8_EBX_SSBD | AMD_8_EBX_IBPB, 0, false, false, true},
		{IS_AMD, AT_ENTRY, 0, AMD_8_EBX_SSBD, 0, true, false, false},
		{IS_AMD, 0, 0, AMD_8_EBX_STIBP, SVM_SPEC_CTRL, true, true, false},
	};

	for (unsigned i = 0; i < array_count(rows); i++) {
		cpu.features = rows[i].features;
		cpu.mitigations = rows[i].mitigations;
		seven_edx = rows[i].seven_edx;
		eight_ebx = rows[i].eight_ebx;
		platform.found.svm.features = rows[i].svm_edx;
		extended_edx = EXTENDED_EDX_RDTSCP;
		check_equal(guest_has_spec_ctrl(), rows[i].has);
		check_equal(guest_msr_set_access(&guest, MSR_SPEC_CTRL, VCPU_MSR_READ),
			rows[i].is_open);
		check_equal(guest_msr_set_access(&guest, MSR_PRED_CMD, VCPU_MSR_WRITE),
			rows[i].has_ibpb);
		check(!guest_msr_set_access(&guest, MSR_VIRT_SPEC_CTRL, VCPU_MSR_READ));
		extended_edx = 0; // the lists of MSRs have TSC_AUX before it
		check(!guest_has_spec_ctrl());
	}
}

// What VM entry writes where kernel exit writes the register.
static void entry(void) {
	cpu.program_spec_ctrl = SPEC_CTRL_STIBP;
	cpu.debug_owner = cpu.guest = &guest;
	guest.spec_ctrl = SPEC_CTRL_SSBD;
	guest_prepare(&cpu, &guest, physical(0));
	check_equal(cpu.guest_spec_ctrl, SPEC_CTRL_STIBP | SPEC_CTRL_SSBD);
}

static const struct test tests[] = {
	{"state-speculation", "guests have SPEC_CTRL and IBPB where that costs no exit", offered},
	{"state-speculation-entry", "a guest's SPEC_CTRL adds to the programs'", entry},
};

int main(void) { return check_run(tests, array_count(tests)); }
