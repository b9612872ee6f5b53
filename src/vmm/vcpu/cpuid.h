// SPDX-License-Identifier: BSD-2-Clause
// What CPUID reports to the guest: a row per leaf, listing what is allowed of the host's answer.
// Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// CR4 bits of every 64-bit CPU: VME, PVI, TSD, DE, PSE, PAE, PGE, PCE, OSFXSR, OSXMMEXCPT.
#define CR4_BASELINE 0x7bful

struct cpuid_words {
	uint32_t eax, ebx, ecx, edx;
};

// Facts about host and guest that do not change while the guest runs.
struct cpuid_model {
	void (*host)(uint32_t leaf, uint32_t subleaf, uint32_t words[4]);
	uint64_t xcr0_allowed; // XCR0 bits the kernel switches
	uint64_t xcr0_host; // those on while the VMM asks
	bool xsave_compacts; // XSAVEC was seen to lay out what it should
	uint64_t tsc_hertz;
	uint64_t controls; // VCPU_ALLOWS_*, for instructions that need one, and VCPU_OFFERS_*
};

// Guest state that some leaves mirror.
struct cpuid_guest {
	uint64_t cr4;
	uint64_t xcr0;
	bool apic_enabled;
};

void cpuid_answer(const struct cpuid_model *model, const struct cpuid_guest *guest, uint32_t leaf,
	uint32_t subleaf, struct cpuid_words *words);
// The width of guest-physical addresses.
[[nodiscard]] uint8_t cpuid_address_bits(const struct cpuid_model *model);
// The bits of CR4, and of SPEC_CTRL, that go with the features offered.
[[nodiscard]] uint64_t cpuid_cr4_allowed(const struct cpuid_model *model);
[[nodiscard]] uint64_t cpuid_spec_ctrl_allowed(const struct cpuid_model *model);
// Whether the guest has this MSR, SPEC_CTRL or PRED_CMD, and may use it without an exit.
[[nodiscard]] bool cpuid_msr_is_direct(const struct cpuid_model *model, uint32_t number);
