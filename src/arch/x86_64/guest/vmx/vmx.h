// SPDX-License-Identifier: BSD-2-Clause
// VT-x of this core: switching it on, what it can do, and translations it keeps (SDM 3C, chapters
// 24, 29 and appendix A).
#pragma once

#include <cpu/layout.h>
#include <cpu/vmx.h>
#include <x86/vmx.h>

// What the word becomes that is to be value: bits the CPU or the kernel's safety demand are set,
// bits that the CPU or the kernel does not support are clear (VCPU-17).
uint64_t vmx_apply(enum vmx_word word, uint64_t value);

// Of the engine's row.
[[nodiscard]] bool vmx_init(void);
[[nodiscard]] uint64_t vmx_offered_controls(void);

[[nodiscard]] bool vmx_has_timer(void);

// The EPT pointer for a root table: write-back, four levels.
uint64_t vmx_ept_pointer(physical_t root);

// Forgets what the CPU keeps of the guest-physical translations under root; of the guest-linear
// ones of one VPID, or of all for VPID 0.
void vmx_invalidate_guest(physical_t root);
void vmx_invalidate_vpid(uint16_t vpid);

// False if this CPU gives all guests VPID 0: then entries and exits invalidate by themselves.
[[nodiscard]] bool vmx_has_vpid(void);
