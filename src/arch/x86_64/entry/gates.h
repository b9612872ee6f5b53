// SPDX-License-Identifier: BSD-2-Clause
// The ways in and out as this CPU needs them (trap.asm).
#pragma once

#include <cpu/segments.h>

// The kernel's own tables where GS is unknown; 0 where programs see them too.
extern uint64_t trap_kernel_cr3;

// Keeps the parts of each gate that one of the mitigations needs (1 << enum defence). The kernel's
// text is still writable, and nobody has left the kernel yet.
struct ways_in gates_install(uint32_t mitigations, bool has_fast_paths);
