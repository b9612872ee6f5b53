// SPDX-License-Identifier: BSD-2-Clause
// What VT-x of this CPU allows a guest's VMCS to have.
#pragma once

#include <stdint.h>

// Words of a guest's VMCS in which a monitor may not choose all bits.
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
	VMX_WORDS,
};

// What the CPU allows. Written by vmx_init at boot.
struct vmx {
	uint8_t timer_rate; // the VMX-preemption timer counts down once in 2^rate TSC ticks
	struct vmx_range {
		uint64_t must, may;
	} words[VMX_WORDS];
};
