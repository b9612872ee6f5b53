// SPDX-License-Identifier: BSD-2-Clause
// Between the files of this engine.
#pragma once

#include <cpu/platform.h>
#include <guest/engine.h>
#include <guest/vmx/vmcs.h>
#include <guest/vmx/vmx.h>

// A guest's instruction pointer may stand right behind the lower half of addresses, where the next
// fetch faults; VM entry refuses what lies farther out (SDM 3C 27.3.1.4), which becomes 0.
static inline uint64_t vmx_clean_rip(uint64_t value) {
	return (uint64_t)((int64_t)(value << 15) >> 15) == value ? value : 0;
}

// Writes the primary controls a client asked for.
void vmx_set_primary(struct guest *guest, uint64_t value);

// WriteVMCS, of a field that is known to be there and a VMCS that is current: false if this CPU has
// no such field.
[[nodiscard]] bool vmx_field_write(struct guest *guest, enum vmcs_field field, uint64_t value);

// Initial values of all fields (VCPU-14). The VMCS is current.
void vmx_reset_fields(struct guest *guest);

// What of the registers stays the guest's until another one runs (state.c).
void vmx_state_init(struct guest *guest);
void vmx_state_prepare(struct cpu *cpu, struct guest *guest);
void vmx_state_forget(struct guest *guest);

// Which MSRs the guest may touch without an exit (msr.c).
void vmx_msr_init(struct guest *guest);
void vmx_msr_prepare(struct cpu *cpu, struct guest *guest);

// An event whose delivery an exit interrupted is delivered again (event.c).
void vmx_inject_again(void);
// The exception or NMI of an exit. True: it is no exit for the monitor.
[[nodiscard]] bool vmx_take_exception(struct guest *guest);
