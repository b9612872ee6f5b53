// SPDX-License-Identifier: BSD-2-Clause
// What VT-x keeps of a guest beside the VMCS.
#pragma once

#include <stdalign.h>
#include <stdint.h>
#include <x86/vmx.h>

// MSRs that are not in the VMCS: VM entry and exit switch them by lists.
enum vcpu_msr {
	VCPU_MSR_KERNEL_GS_BASE, // on the host a program's, not the kernel's
	VCPU_MSR_STAR,
	VCPU_MSR_LSTAR,
	VCPU_MSR_CSTAR,
	VCPU_MSR_FMASK,
	VCPU_MSR_TSC_AUX, // the last, for not every CPU has it
	VCPU_MSRS,
	VCPU_OPENABLE_MSRS = 13, // these and those in the VMCS: SetMSRAccess
};

struct vmx_guest {
	uint64_t launched; // VMRESUME, not VMLAUNCH
	uint64_t vmcs; // physical address

	uint8_t msr_access[VCPU_OPENABLE_MSRS];
	uint8_t is_stale; // the client changed what linear translations depend on
	uint8_t timer_is_clients; // the running timer ends at the client's value, not the kernel's
	uint32_t pin, primary, exit, exceptions; // controls as the client sees them
	uint32_t timer_value; // preemption timer field as the client sees it
	uint32_t timer_left; // of this VMEnter, or of the next
	uint64_t timer_start; // TSC at the last entry

	uint64_t ept_pointer, host_cr3; // what the VMCS holds
	uint64_t vpid; // generation and number (run.c)

	alignas(16) struct vmx_msr_entry
		msrs[VCPU_MSRS]; // VM entry loads them, VM exit stores them
};
