// SPDX-License-Identifier: BSD-2-Clause
// What each core finds out of itself at boot, and all must find the same.
#pragma once

#include <base/compiler.h>

// Words of a guest's VMCS, or what AMD-V has in their place, in which a monitor may not choose all
// bits.
enum vmx_word {
	VMX_ANY, // no such word
	VMX_PIN,
	VMX_PRIMARY,
	VMX_SECONDARY,
	VMX_EXIT,
	VMX_ENTRY,
	VMX_CR0, // those before are controls
	VMX_CR4,
	VMX_CR0_MASK,
	VMX_CR4_MASK,
	VMX_EFER, // of AMD-V only
	VMX_WORDS,
};

// What AMD-V has. Written by svm_init at boot.
struct svm {
	uint32_t features; // enum svm_feature
	uint32_t asids;
};

struct found {
	uint64_t xcr0_supported; // what XCR0 may hold
	// Written by the guest engine at boot: bits that are set in a word, and those that may be;
	// controls_offered of guests' state pages.
	struct word_range {
		uint64_t must, may;
	} words[VMX_WORDS];
	uint64_t offered;
	uint8_t timer_rate; // the VMX-preemption timer counts down once in 2^rate TSC ticks
	struct svm svm;
};
