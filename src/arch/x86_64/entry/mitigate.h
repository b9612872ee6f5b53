// SPDX-License-Identifier: BSD-2-Clause
// Enabling the mitigations of this core, and with them kernel entry and exit.
#pragma once

#include <cpu/percpu.h>
#include <entry/options.h>

// Chooses and enables them, prints one line, and installs kernel entry and exit, with fast paths
// where the CPU and the options allow. The kernel's text is still writable, and the kernel has not
// been left yet.
void mitigate_start(struct cpu *cpu, const unsigned options[OPTIONS]);

// The last step of that (gates.c): keeps the parts of each gate that one of the mitigations needs
// (1 << enum mitigation), and gives the entry points of SYSCALL, by enum syscall_entry.
void gates_install(uint32_t mitigations, bool has_fast_paths, const char **entries);
