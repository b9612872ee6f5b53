// SPDX-License-Identifier: BSD-2-Clause
// The virtual-machine control structure: one function for each instruction on it (SDM 3C, 25.11).
#pragma once

#include <base/panic.h>
#include <cpu/layout.h>
#include <x86/vmx.h>

// Makes the structure the current one of this core.
static inline bool vmcs_load(physical_t vmcs) {
	bool succeeded;

	asm volatile("vmptrld %1" : "=@cca"(succeeded) : "m"(vmcs.value) : "memory");
	return succeeded;
}

// Writes back what the CPU keeps of it and makes it inactive and clear.
static inline bool vmcs_clear(physical_t vmcs) {
	bool succeeded;

	asm volatile("vmclear %1" : "=@cca"(succeeded) : "m"(vmcs.value) : "memory");
	return succeeded;
}

// False if this CPU has no such field. *value is unchanged then.
static inline bool vmcs_try_read(enum vmcs_field field, uint64_t *value) {
	uint64_t read = *value;
	bool succeeded;

	asm volatile("vmread %2, %1" : "=@cca"(succeeded), "+r"(read) : "r"((uint64_t)field));
	*value = read;
	return succeeded;
}

static inline bool vmcs_try_write(enum vmcs_field field, uint64_t value) {
	bool succeeded;

	asm volatile("vmwrite %1, %2" : "=@cca"(succeeded) : "r"(value), "r"((uint64_t)field));
	return succeeded;
}

// For fields that every CPU has which vmx_init accepts.
static inline uint64_t vmcs_read(enum vmcs_field field) {
	uint64_t value;
	[[maybe_unused]] bool succeeded;

	asm volatile("vmread %2, %1" : "=@cca"(succeeded), "=r"(value) : "r"((uint64_t)field));
	assert(succeeded);
	return value;
}

static inline void vmcs_write(enum vmcs_field field, uint64_t value) {
	[[maybe_unused]] bool succeeded = vmcs_try_write(field, value);

	assert(succeeded);
}

// Fills the host state of the current structure from this core, but for HOST_CR3 and HOST_RIP.
void vmcs_write_host(void);
