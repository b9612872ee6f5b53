// SPDX-License-Identifier: BSD-2-Clause
// What AMD-V does not say of an exit.
#pragma once

#include <vmm/bus/bus.h>
#include <vmm/host/memory.h>
#include <vmm/vcpu/vcpu.h>

// Completes the page after an exit, from the bytes of the instruction: its length, the operands of
// a control register access, segment and address size of a string of port accesses. False when the
// exit is finished: the instruction was carried out, or an exception is raised for the guest.
[[nodiscard]] bool complete_exit(
	struct vcpu *vcpu, const struct guest_memory *memory, struct bus *bus);
