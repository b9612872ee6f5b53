// SPDX-License-Identifier: BSD-2-Clause
// Memory accesses of the guest that reach a device: fetch the instruction, decode it, perform it.
#pragma once

#include <vmm/bus/bus.h>
#include <vmm/vcpu/vcpu.h>

// Carries out the instruction that made an EPT violation, or raises its fault. False when it is not
// understood; nothing has changed then.
[[nodiscard]] bool mmio_perform(
	struct vcpu *vcpu, const struct guest_memory *memory, struct bus *bus);
