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

// Of the instruction that exited; 0 if it is none of them. Nothing is taken to be as it was:
// registers, entries and bytes are compared.
[[nodiscard]] uint8_t recent_length(const struct vcpu *vcpu);
void recent_keep(const struct operand_space *space, uint8_t length);
