// SPDX-License-Identifier: BSD-2-Clause
// Switching on the mitigations of this core, and with them the ways in and out.
#pragma once

#include <cpu/percpu.h>
#include <entry/options.h>

// Chooses and switches on, says so in one line, and installs the ways in and out, with fast paths
// where the CPU and the options allow. The kernel's text is still writable, and nobody has left the
// kernel yet.
struct entry_points mitigate_start(struct cpu *cpu, const unsigned options[OPTIONS]);

// The last step of that (gates.c): keeps the parts of each gate that one of the mitigations needs
// (1 << enum mitigation).
struct entry_points gates_install(uint32_t mitigations, bool has_fast_paths);
