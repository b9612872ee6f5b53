// SPDX-License-Identifier: BSD-2-Clause
// VT-x of this core: switching it on, what it can do, and translations it keeps (SDM 3C, chapters
// 24, 29 and appendix A).
#pragma once

#include <cpu/layout.h>

#define MSR_VMX_MISC 0x485

// Which control field.
enum vmx_controls { VMX_PIN, VMX_PRIMARY, VMX_SECONDARY, VMX_EXIT, VMX_ENTRY, VMX_CONTROLS };

// Switches VMX operation on. False after a line with the reason if this CPU or its firmware does
// not offer what virtual CPUs need; all else of the kernel works without.
bool vmx_init(void);
bool vmx_is_on(void);

// First word of each VMCS.
uint32_t vmx_revision(void);

// The control word nearest to value: bits the CPU or the kernel's safety demand are set, bits that
// the CPU or the kernel does not support are clear (vtx.md 5, filter F).
uint32_t vmx_apply(enum vmx_controls controls, uint64_t value);

// The same for guest CR0 and CR4 (filters F0 and F4).
uint32_t vmx_apply_cr0(uint64_t value);
uint32_t vmx_apply_cr4(uint64_t value);

// CR0 and CR4 bits a guest must not change by itself, because VM entry and exit do not switch what
// they govern: they stay set in the guest/host masks.
uint64_t vmx_owned_cr0(void);
uint64_t vmx_owned_cr4(void);

bool vmx_has_timer(void);
// The VMX-preemption timer counts down once in 2^rate TSC ticks.
unsigned vmx_timer_rate(void);

// The EPT pointer for a root table: write-back, four levels.
uint64_t vmx_ept_pointer(physical_t root);

// Forgets what the CPU keeps of the guest-physical translations under root; of the guest-linear
// ones of one VPID, or of all for VPID 0.
void vmx_invalidate_guest(physical_t root);
void vmx_invalidate_vpid(uint16_t vpid);

// False if this CPU gives all guests VPID 0: then entries and exits invalidate by themselves.
bool vmx_has_vpid(void);
