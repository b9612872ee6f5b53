// SPDX-License-Identifier: BSD-2-Clause
// PCIDs: numbers under which the CPU remembers translations of host spaces (SDM 3A 4.10).
//
// With PCIDs a switch forgets nothing: what is changed in a space, loaded or not, is forgotten at
// once by INVPCID. Without INVPCID there are no PCIDs: then a write of CR3 forgets everything but
// the kernel's global pages (SDM 3A 4.10.4), and a space that is not loaded is never remembered.
//
// PCID 0 is for roots that have none of their own: to load them forgets what is remembered under
// it.
//
// Where programs are isolated, the kernel's own tables stay loaded as long as it runs, under the
// last PCID, which no space gets. A program's come into CR3 on the exit path (trap.asm), so no
// space is ever loaded in the kernel.
#pragma once

#include <cpu/layout.h>

struct cpu;

enum { PCIDS = 4096 };

// Loads the kernel's own tables, and switches PCIDs on where they are wanted and the CPU has them.
void pcid_start(bool is_wanted);

// That of the kernel's tables; 0: no space can have it anyway.
unsigned pcid_of_kernel(void);

// CR3 for a program in the space of this root; PCID 0: it has none of its own. And CR3 inside the
// kernel while a program with that CR3 is current.
uint64_t pcid_program_root(physical_t root, unsigned pcid);
uint64_t pcid_kernel_root(uint64_t program_root);

// Whether the core has the space of the root loaded, inside the kernel.
[[nodiscard]] bool pcid_is_loaded(const struct cpu *cpu, physical_t root);

// For the row of host tables (paging.h).
void pcid_invalidate(physical_t root, unsigned pcid, uint64_t address);
