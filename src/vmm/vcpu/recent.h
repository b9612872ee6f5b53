// SPDX-License-Identifier: BSD-2-Clause
// Lengths of instructions that exited lately, most of which exit again.
#pragma once

#include <abi/vcpu_state.h>
#include <vmm/vcpu/walk.h>

enum { RECENTS = 8 };

// An instruction of 64-bit code with all that its length follows from: what exited where, the
// registers and table entries that lead from there to its bytes, and these.
struct recent {
	uint64_t rip, cr0, cr3, cr4, efer;
	uint32_t reason;
	uint16_t code, stack; // attributes of CS and SS
	struct walk_trail trail;
	const uint8_t *place; // of the bytes, in the guest's RAM
	uint8_t bytes[VCPU_INSTRUCTION_BYTES];
	uint8_t length; // 0: none is here
};

struct operand_space;
struct vcpu;

// What of the guest tells how the instruction was reached. Above 4 GiB there is 64-bit code only
// (APM 1 2.1), and one of the kernel's faults elsewhere before it exits (APM 2 15.9).
[[nodiscard]] uint64_t recent_groups(const struct vcpu_state_page *page);
// Of the instruction that exited; 0 if it is none of them. Nothing is taken to be as it was:
// registers, entries and bytes are compared.
[[nodiscard]] uint8_t recent_length(const struct vcpu *vcpu);
void recent_keep(const struct operand_space *space, uint8_t length);
