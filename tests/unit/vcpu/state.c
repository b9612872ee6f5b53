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
#include <string.h>
#include <x86/cpuid.h>
#include <x86/msr.h>

enum { IS_AMD = 1ul << FEATURE_SVM };

#define AT_ENTRY MITIGATION_BIT(IBRS_ENTRY)

static void prepare(struct cpu *, struct guest *, physical_t) {}

static struct guest_engine engine = {.msrs = GUEST_MSRS, .prepare = prepare};
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

// Two bits alone let accesses through, where the CPU looks for them: reads of STAR and writes of
// SYSENTER_CS (SDM 3C 25.6.9, APM 2 15.11).
static void map(void) {
	static const struct {
		uint16_t next, high, write;
		unsigned star, sysenter_cs;
	} rows[] = {{1, 8192, 16384, 8192 + 0x81, 16384 + 0x174},
		{2, 16384, 1, 16384 + 2 * 0x81, 2 * 0x174 + 1}};

	cpu.debug_owner = cpu.guest = &guest;
	for (unsigned i = 0; i < array_count(rows); i++) {
		engine.map_next = rows[i].next;
		engine.map_high = rows[i].high;
		engine.map_write = rows[i].write;
		memset(cpu.msr_map, 0xff, sizeof(cpu.msr_map));
		memset(guest.msr_access, 0, sizeof(guest.msr_access));
		check(guest_msr_set_access(&guest, MSR_STAR, VCPU_MSR_READ));
		check(guest_msr_set_access(&guest, MSR_SYSENTER_CS, VCPU_MSR_WRITE));
		guest_prepare(&cpu, &guest, physical(0));
		for (unsigned bit = 0; bit < 8 * sizeof(cpu.msr_map); bit++)
			check_equal(cpu.msr_map[bit / 8] >> bit % 8 & 1,
				bit != rows[i].star && bit != rows[i].sysenter_cs);
		check(guest_msr_set_access(&guest, MSR_STAR, 0));
		guest_prepare(&cpu, &guest, physical(0));
		check_equal(cpu.msr_map[rows[i].star / 8], 0xff);
	}
}

static const struct test tests[] = {
	{"state-speculation", "guests have SPEC_CTRL and IBPB where that costs no exit", offered},
	{"state-msr-map", "a guest's accesses to MSRs, in the form of each engine", map},
	{"state-speculation-entry", "a guest's SPEC_CTRL adds to the programs'", entry},
};

int main(void) { return check_run(tests, array_count(tests)); }
