// SPDX-License-Identifier: BSD-2-Clause
// Breakpoints of the guest on data and ports, for accesses that the VMM carries out (SDM
// 3B 17.2.4).
#pragma once

#include <vmm/vcpu/vcpu.h>

enum breakpoint_access {
	BREAKPOINT_READ,
	BREAKPOINT_WRITE,
	BREAKPOINT_PORT,
};

// The pending debug exceptions of an access to `width` bytes.
[[nodiscard]] uint64_t breakpoint_hits(
	const struct vcpu *vcpu, enum breakpoint_access access, uint64_t address, unsigned width);
