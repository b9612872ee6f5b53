// SPDX-License-Identifier: BSD-2-Clause
// Enabling the mitigations of this core, and with them kernel entry and exit.
#pragma once

#include <cpu/percpu.h>
#include <entry/options.h>

// Chooses and enables them, and prints one line.
void mitigate_start(struct cpu *cpu, const unsigned options[OPTIONS]);

// Kernel entry and exit, for all cores, which have the same mitigations (1 << enum mitigation):
// keeps the parts of each gate that one of them needs, and gives the entry points of SYSCALL, by
// enum syscall_entry. The kernel's text is still writable, and the kernel has not been left yet.
void gates_install(uint32_t mitigations, bool has_fast_paths, const char **entries);
