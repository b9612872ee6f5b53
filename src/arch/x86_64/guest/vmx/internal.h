// SPDX-License-Identifier: BSD-2-Clause
// Between the files of this engine.
#pragma once

#include <cpu/platform.h>
#include <guest/engine.h>
#include <guest/vmx/vmcs.h>
#include <guest/vmx/vmx.h>

// Fields as the monitor sees them (fields.c).
void vmx_set_primary(struct guest *guest, uint64_t value);
[[nodiscard]] bool vmx_field_read(struct guest *guest, uint64_t field, uint64_t *value);
[[nodiscard]] bool vmx_field_write(struct guest *guest, uint64_t field, uint64_t *value);
uint64_t vmx_field_get(struct guest *guest, uint64_t field);
// Initial values of all (VCPU-14).
void vmx_reset_fields(struct guest *guest);

// MSRs that VM entry and exit switch by lists, and those the guest may touch without an exit
// (msr.c).
void vmx_msr_init(struct guest *guest);
void vmx_msr_prepare(struct cpu *cpu, struct guest *guest);

// An event whose delivery an exit interrupted is delivered again (event.c).
void vmx_inject_again(void);
// The exception or NMI of an exit. True: it is no exit for the monitor.
[[nodiscard]] bool vmx_take_exception(struct guest *guest);
