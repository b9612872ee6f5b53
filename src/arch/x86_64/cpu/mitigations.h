// SPDX-License-Identifier: BSD-2-Clause
// Which mitigations against leaks through speculative execution this CPU needs and has. Pure:
// computes from values of CPUID and MSRs what is to be enabled (docs/reference/boot-options.md).
#pragma once

#include <base/compiler.h>

enum mitigation {
	MITIGATION_KPTI, // a program's tables map only the entry to the kernel
	MITIGATION_VERW, // the CPU's buffers are overwritten before a program or guest runs
	MITIGATION_L1D_FLUSH, // so is the first-level data cache, before a guest runs
	MITIGATION_IBRS, // predictions trained by less privileged code are not used
	MITIGATION_IBPB, // the branch predictor is flushed when another guest enters
	MITIGATION_RSB, // return predictions of a guest are replaced when it leaves
	MITIGATION_SSBD, // no load overtakes an older store
	MITIGATION_LFENCE, // LFENCE waits for all before it
	MITIGATION_EAGER_FPU, // no program runs while the FPU holds another's registers
	MITIGATION_BHI, // branch history of programs and guests does not choose targets in the
			// kernel
	MITIGATION_SWAPGS, // no load ahead of a SWAPGS behind a branch
	MITIGATION_ITS, // the branch predictor is flushed when a guest exits
	MITIGATION_GDS, // no stale data in gathers: microcode does it unless it is switched off
	MITIGATION_ZENBLEED, // no stale halves of vector registers
	MITIGATION_DIV0, // no quotient of another program's division
	MITIGATION_X87, // no pointers of another's x87 exception
	MITIGATION_ITLB_MULTIHIT, // guests execute from no large pages
	MITIGATION_OPTIONS, // those above have a name; those below follow from them
	MITIGATION_IBRS_ENTRY = MITIGATION_OPTIONS, // IBRS is off while programs and guests run
	MITIGATION_IBPB_SPACES, // the branch predictor is flushed at each change of address space
	MITIGATION_BHI_SEQUENCE, // BHI by instructions
	MITIGATION_NO_KPTI,
	MITIGATION_SMAP, // programs' alignment-check flag is cleared
	MITIGATION_VMX, // guests run by VT-x, or else by AMD-V
	MITIGATION_SVM,
	MITIGATION_ALWAYS,
};

enum option_mode { MODE_AUTO, MODE_ON, MODE_OFF };

enum cpu_vendor { VENDOR_OTHER, VENDOR_INTEL, VENDOR_AMD };

struct cpu_facts {
	enum cpu_vendor vendor;
	uint32_t family, model, stepping;
	uint32_t microcode; // revision; 0: unknown
	uint32_t leaf_1_ecx, leaf_7_ebx, leaf_7_edx, leaf_7_2_edx;
	uint32_t amd_1_ecx; // 8000_0001h
	uint32_t amd_8_ebx; // 8000_0008h
	uint32_t amd_21_eax, amd_21_ecx; // 8000_0021h
	uint64_t capabilities; // IA32_ARCH_CAPABILITIES; 0 where there is none
};

struct mitigations {
	uint32_t on; // 1 << enum mitigation
	uint32_t lacking; // needed or requested, but this CPU cannot do it
	uint32_t spec_ctrl; // for the kernel; 0 where there is no such MSR. IBRS that is not here
			    // is EFER's
};

#define MITIGATION_BIT(name) (1u << MITIGATION_##name)

extern const char *const mitigation_names[MITIGATION_OPTIONS]; // those of the options

// modes: an enum option_mode for each option.
struct mitigations mitigations_choose(const struct cpu_facts *facts, const unsigned *modes);
