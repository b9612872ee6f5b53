// SPDX-License-Identifier: BSD-2-Clause
// Host tests: the kernel's names of VMCS fields, and a VMCS in memory.
#pragma once

#define vmcs_read hardware_read
#define vmcs_write hardware_write
#define vmcs_try_read hardware_try_read
#define vmcs_try_write hardware_try_write
#define vmcs_load hardware_load
#define vmcs_clear hardware_clear
#include "../../../../../../src/arch/x86_64/guest/vmx/vmcs.h"
#undef vmcs_read
#undef vmcs_write
#undef vmcs_try_read
#undef vmcs_try_write
#undef vmcs_load
#undef vmcs_clear
#undef host_exception

extern uint64_t fields[0x8000]; // by encoding
extern enum vmcs_field lacking; // a field that this CPU has not
extern unsigned raised; // the host's exception that was handled last

static inline uint64_t vmcs_read(enum vmcs_field field) { return fields[field]; }

static inline void vmcs_write(enum vmcs_field field, uint64_t value) { fields[field] = value; }

static inline bool vmcs_try_read(enum vmcs_field field, uint64_t *value) {
	if (field == lacking) return false;
	*value = fields[field];
	return true;
}

static inline bool vmcs_try_write(enum vmcs_field field, uint64_t value) {
	if (field == lacking) return false;
	fields[field] = value;
	return true;
}

static inline bool vmcs_load(physical_t) { return true; }

static inline bool vmcs_clear(physical_t) { return true; }

#define host_exception(vector) (raised = (vector))
