// SPDX-License-Identifier: BSD-2-Clause
// Model-specific registers that exit: a row per register that is allowed, everything else faults.
#pragma once

#include <vmm/host/clock.h>
#include <vmm/irq/lapic.h>
#include <vmm/vcpu/paravirtual_clock.h>
#include <vmm/vcpu/vcpu.h>

struct msr_file {
	struct vcpu *vcpu;
	struct lapic *lapic;
	struct clock *clock; // writing the guest's TSC moves its offset
	struct paravirtual_clock paravirtual_clock;
	uint64_t mtrr_default_type;
	uint64_t tsc_adjust;
	uint64_t spec_ctrl_allowed; // bits of SPEC_CTRL; 0: the guest has none
};

enum msr_result {
	MSR_DONE,
	MSR_FAULT, // #GP(0); the register or the value is known to be refused
	MSR_UNKNOWN, // #GP(0) for a register in no row: worth a line in the log
};

void msr_reset(struct msr_file *file);
[[nodiscard]] enum msr_result msr_read(struct msr_file *file, uint32_t number, uint64_t *value);
[[nodiscard]] enum msr_result msr_write(struct msr_file *file, uint32_t number, uint64_t value);
