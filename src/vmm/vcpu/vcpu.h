// SPDX-License-Identifier: BSD-2-Clause
// The vCPU as the exit handlers see it: its state page, which is the only copy of guest state that
// the VMM has (include/abi/vcpu_state.h), and what the page does not tell.
#pragma once

#include <vmm/host/host.h>
#include <vmm/vcpu/recent.h>

enum vcpu_run {
	VCPU_STOPPED, // until a reset of the machine
	VCPU_HALTED, // in HLT: an interrupt resumes it
	VCPU_RUNNING,
};

struct vcpu {
	unsigned number;
	struct vcpu_state_page *page;
	bool nmi_blockable; // since the last entry an NMI may have been taken
	bool debug_pending; // the next entry delivers #DB, unless it injects an event
	enum vcpu_run run;
	struct recent recent[RECENTS];
};

struct cpuid_model;

// What the entry of a fresh guest needs (boot protocol: linux.h).
struct vcpu_entry {
	uint64_t rip, rsi, cr3;
	uint64_t gdt_base;
	uint16_t gdt_limit;
	uint16_t code_selector, data_selector;
	uint64_t cr4_allowed; // CR4 bits the guest may set
	const struct cpuid_model *cpuid;
};

// reset.c. False when the CPU lacks what the VMM relies on; *problem says what.
[[nodiscard]] bool vcpu_reset(
	struct vcpu *vcpu, const struct vcpu_entry *entry, const char **problem);

// AMD-V runs it, whose exits say less than VT-x's.
[[nodiscard]] static inline bool vcpu_by_amd_v(const struct vcpu *vcpu) {
	return vcpu->page->controls_offered & VCPU_BY_AMD_V;
}

// After an exit or a notification, and before the next entry.
void vcpu_left(struct vcpu *vcpu);
void vcpu_enter(struct vcpu *vcpu);

// The page, where it shows these groups; those that the exit left out are fetched by a system call.
[[nodiscard]] const struct vcpu_state_page *vcpu_view(const struct vcpu *vcpu, uint64_t groups);
// The page, to change these groups, of which the caller may leave some words as they are.
[[nodiscard]] struct vcpu_state_page *vcpu_edit(struct vcpu *vcpu, uint64_t groups);
// The page, to write every word of these groups.
[[nodiscard]] struct vcpu_state_page *vcpu_replace(struct vcpu *vcpu, uint64_t groups);

[[nodiscard]] uint64_t vcpu_register(const struct vcpu *vcpu, unsigned number);
void vcpu_set_register(struct vcpu *vcpu, unsigned number, uint64_t value);
void vcpu_set_rflags(struct vcpu *vcpu, uint64_t rflags);
// Moves past an instruction of `length` bytes that was completed here.
void vcpu_advance(struct vcpu *vcpu, uint32_t length);
// An iteration of a repeated instruction, but not the last, was completed here.
void vcpu_iterate(struct vcpu *vcpu);
// Debug exceptions (enum x86_pending_debug) follow the instruction that was completed here.
void vcpu_add_pending_debug(struct vcpu *vcpu, uint64_t causes);
// Whether #DB follows each instruction.
[[nodiscard]] bool vcpu_single_steps(const struct vcpu *vcpu);
[[nodiscard]] bool vcpu_in_64_bit_mode(const struct vcpu *vcpu);
// 0 to 3; the last is a user's.
[[nodiscard]] unsigned vcpu_privilege(const struct vcpu *vcpu);
void vcpu_set_nmi_blocking(struct vcpu *vcpu, bool blocked);
// The paging registers now.
[[nodiscard]] struct paging vcpu_paging(const struct vcpu *vcpu);

// Events for the next entry. An exception replaces an event that waits there.
void vcpu_inject(struct vcpu *vcpu, uint32_t information);
// Delivers again what was being delivered when the exit came.
void vcpu_redeliver(struct vcpu *vcpu);
// Faults of the instruction that exited.
void vcpu_raise(struct vcpu *vcpu, enum exception_vector exception);
void vcpu_raise_with_code(struct vcpu *vcpu, enum exception_vector exception, uint32_t error_code);
void vcpu_raise_page_fault(struct vcpu *vcpu, uint64_t linear, uint32_t error_code);
// Whether an external interrupt (or an NMI) could be taken at the next entry.
[[nodiscard]] bool vcpu_interruptible(const struct vcpu *vcpu);
[[nodiscard]] bool vcpu_nmi_possible(const struct vcpu *vcpu);
void vcpu_window(struct vcpu *vcpu, uint32_t wanted); // of enum vcpu_window
