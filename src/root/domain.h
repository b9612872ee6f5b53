// SPDX-License-Identifier: BSD-2-Clause
// Protection domains and the guests some of them monitor: kernel objects, capabilities, threads.
#pragma once

#include <root/system.h>

// Make what other domains hold capabilities to. It outlives restarts: who calls or notifies the
// domain while it is built again, on another core, reaches it when it is there.
[[nodiscard]] seL4_Error domain_make_inputs(struct system *system, uint32_t index);

// Make the domain's other objects and its address space.
[[nodiscard]] seL4_Error domain_make(struct system *system, uint32_t index);

// Thread, scheduling context and the fixed capabilities; all pages of the domain are mapped.
[[nodiscard]] seL4_Error domain_configure(struct system *system, uint32_t index);

[[nodiscard]] seL4_Error domain_start(struct system *system, uint32_t index);

// Put a copy of a capability in a slot of the domain's main CNode.
[[nodiscard]] seL4_Error domain_give(const struct domain *domain, seL4_Word slot, seL4_CPtr cap,
	seL4_CapRights_t rights, seL4_Word badge);

// Virtual CPU and guest-physical space of a guest. IllegalOperation: the CPU has no VT-x.
[[nodiscard]] seL4_Error guest_make(struct system *system, uint32_t index);

// Attach the guest to its monitor's thread.
[[nodiscard]] seL4_Error guest_configure(struct system *system, uint32_t index);
