// SPDX-License-Identifier: BSD-2-Clause
// Port accesses of the guest: IN, OUT, and the string forms INS and OUTS.
#pragma once

#include <vmm/bus/bus.h>
#include <vmm/vcpu/vcpu.h>

// Of instruction_information.
enum information_bits {
	INFORMATION_ADDRESS_SHIFT = 7, // enum code_size
	INFORMATION_SEGMENT_SHIFT = 15, // OUTS only
};

// Performs the I/O exit, or raises the fault that a string form's memory operand causes.
void port_perform(struct vcpu *vcpu, const struct guest_memory *memory, struct bus *memory_bus,
	struct bus *ports);
