// SPDX-License-Identifier: BSD-2-Clause
// Between the files of this engine.
#pragma once

#include <guest/field.h>

// This core's VT-x (vmx.c; SDM 3C, chapters 24, 29 and appendix A).

// Of the engine's row.
[[nodiscard]] bool vmx_init(void);

[[nodiscard]] bool vmx_has_timer(void);

// The EPT pointer for a root table: write-back, four levels.
uint64_t vmx_ept_pointer(physical_t root);

// Forgets what the CPU keeps of the guest-linear translations of one VPID, or of all for VPID 0.
void vmx_invalidate_vpid(uint16_t vpid);

// False if this CPU gives all guests VPID 0: then entries and exits invalidate by themselves.
[[nodiscard]] bool vmx_has_vpid(void);

// Fields as the monitor sees them (fields.c).
void vmx_set_primary(struct guest *guest, uint64_t value);
extern const struct guest_field vmx_fields[];
[[nodiscard]] bool vmx_field_write(
	struct guest *guest, const struct guest_field *row, uint64_t field, uint64_t value);
// Initial values of all (VCPU-14).
void vmx_reset_fields(struct guest *guest);

// MSRs that VM entry and exit switch by lists (msr.c).
void vmx_msr_init(struct guest *guest);
[[nodiscard]] bool vmx_write_spec_ctrl(struct guest *guest, uint64_t *value);

// An event whose delivery an exit interrupted is delivered again (event.c).
void vmx_inject_again(void);
// The exception or NMI of an exit. True: it is no exit for the monitor.
[[nodiscard]] bool vmx_take_exception(struct guest *guest);
