// SPDX-License-Identifier: BSD-2-Clause
// Control registers that exit: CR0 and CR4 where the VMM owns bits, CR8, XCR0.
#pragma once

#include <vmm/irq/lapic.h>
#include <vmm/vcpu/vcpu.h>

struct control {
	const struct guest_memory *memory;
	struct lapic *lapic; // CR8 is its task priority
	uint64_t cr4_allowed;
};

// Of a qualification (SDM 3C, table 28-3).
enum control_access { ACCESS_MOVE_TO, ACCESS_MOVE_FROM, ACCESS_CLTS, ACCESS_LMSW };

// CR0 as the guest reads it.
[[nodiscard]] uint64_t control_cr0(const struct vcpu *vcpu);
// Each finishes the exit: the register is changed and the instruction passed, or #GP(0) is raised.
void control_register_exit(const struct control *control, struct vcpu *vcpu);
void control_xsetbv_exit(struct vcpu *vcpu);
