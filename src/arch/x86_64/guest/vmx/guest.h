// SPDX-License-Identifier: BSD-2-Clause
// What VT-x keeps of a guest beside the VMCS.
#pragma once

#include <cpu/layout.h>
#include <stdalign.h>
#include <stdint.h>
#include <x86/vmx.h>

enum { VMX_MSRS = 7 }; // the first of enum guest_msr

enum vmx_launched {
	LAUNCHED = 1 << 0, // VMRESUME, not VMLAUNCH
	LAUNCH_FAILED = 1 << 1, // the entry instruction fell through; set by trap.asm
};

struct vmx_guest {
	uint64_t launched; // enum vmx_launched
	uint64_t vmcs; // physical address

	// Registers that neither VM entry nor VM exit switches.
	uint64_t cr2, dr6, tsc_offset;

	// Fields as the monitor sees them: controls, the preemption timer, and TIMER.
	uint64_t pin, primary, exit, exceptions, timer_value, ticks;
	uint64_t timer_left; // of timer_value in this run, or in the next
	uint64_t timer_start; // TSC at the last entry
	uint8_t has_timer, timer_rate; // this CPU's (vmx.c): here, an entry finds them at hand
	uint8_t timer_is_monitors; // the running timer ends at the monitor's value, not the
				   // kernel's

	uint64_t ept_pointer; // what the VMCS holds
	uint64_t vpid; // generation and number (run.c)

	alignas(16) struct vmx_msr_entry msrs[VMX_MSRS]; // VM entry loads them, VM exit stores them
};

// Forgets what the CPU keeps of the guest-physical translations under root (vmx.c).
void vmx_invalidate_guest(physical_t root, unsigned asid, uint64_t address);
