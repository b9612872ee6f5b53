// SPDX-License-Identifier: BSD-2-Clause
// The vCPU as the exit handlers see it: a copy of the exit record, changed in memory and written
// back once, since each register of the kernel's object costs a system call.
#pragma once

#include <vmm/host/host.h>
#include <vmm/vcpu/walk.h>

enum vcpu_run {
	VCPU_STOPPED, // until a reset of the machine
	VCPU_HALTED, // in HLT: an interrupt resumes it
	VCPU_RUNNING,
};

struct vcpu {
	uint64_t registers[X86_REGISTERS]; // RSP only while VCPU_KNOWS_RSP
	uint64_t rip;
	uint64_t rflags;
	uint64_t interruptibility;
	uint64_t cr3;
	uint32_t primary;
	uint32_t event; // entry interruption information
	uint32_t reason;
	uint32_t length;
	uint64_t qualification;
	uint64_t physical;
	bool nmi_blockable; // since the last entry an NMI may have been taken
	bool debug_pending; // the next entry delivers #DB, unless it injects an event
	unsigned known; // of enum vcpu_knowledge
	unsigned changed; // of enum vcpu_change
	enum vcpu_run run;
};

enum vcpu_knowledge {
	VCPU_KNOWS_FLAGS = 1 << 0, // rflags and interruptibility
	VCPU_KNOWS_RSP = 1 << 1,
};

enum vcpu_change {
	VCPU_CHANGED_REGISTERS = 1 << 0,
	VCPU_CHANGED_RSP = 1 << 1,
	VCPU_CHANGED_RIP = 1 << 2,
	VCPU_CHANGED_RFLAGS = 1 << 3,
	VCPU_CHANGED_INTERRUPTIBILITY = 1 << 4,
	VCPU_CHANGED_PRIMARY = 1 << 5,
	VCPU_CHANGED_EVENT = 1 << 6,
};

// What the entry of a fresh guest needs (boot protocol: linux.h).
struct vcpu_entry {
	uint64_t rip, rsi, cr3;
	uint64_t gdt_base;
	uint16_t gdt_limit;
	uint16_t code_selector, data_selector;
	uint32_t cr4_allowed; // CR4 bits the guest may set
};

// vcpu_reset.c. False when the CPU lacks what the VMM relies on; *problem says what.
[[nodiscard]] bool vcpu_reset(
	struct vcpu *vcpu, const struct vcpu_entry *entry, const char **problem);

// Take over the record of an exit, or the three words that come with a notification.
void vcpu_load_exit(struct vcpu *vcpu);
void vcpu_load_notification(struct vcpu *vcpu);
// Write back what changed.
void vcpu_commit(struct vcpu *vcpu);

[[nodiscard]] uint64_t vcpu_register(struct vcpu *vcpu, unsigned number);
void vcpu_set_register(struct vcpu *vcpu, unsigned number, uint64_t value);
void vcpu_set_rflags(struct vcpu *vcpu, uint64_t rflags);
// Moves past an instruction of `length` bytes that was completed here.
void vcpu_advance(struct vcpu *vcpu, uint32_t length);
// An iteration of a repeated instruction, but not the last, was completed here.
void vcpu_iterate(struct vcpu *vcpu);
// Debug exceptions (enum vmx_pending_debug) follow the instruction that was completed here.
void vcpu_add_pending_debug(struct vcpu *vcpu, uint64_t causes);
// Whether #DB follows each instruction.
[[nodiscard]] bool vcpu_single_steps(const struct vcpu *vcpu);
[[nodiscard]] bool vcpu_in_64_bit_mode(const struct vcpu *vcpu);
// The shadow of STI and MOV SS covers one instruction.
[[nodiscard]] bool vcpu_in_shadow(const struct vcpu *vcpu);
void vcpu_leave_shadow(struct vcpu *vcpu);
// The paging registers now; CR3 as of the exit.
[[nodiscard]] struct paging vcpu_paging(const struct vcpu *vcpu);

// Events for the next entry. An exception replaces an event that waits there.
void vcpu_inject(struct vcpu *vcpu, uint32_t event);
// Faults of the instruction that exited.
void vcpu_raise(struct vcpu *vcpu, enum x86_exception exception);
void vcpu_raise_with_code(struct vcpu *vcpu, enum x86_exception exception, uint32_t error_code);
void vcpu_raise_page_fault(struct vcpu *vcpu, uint64_t linear, uint32_t error_code);
// Whether an external interrupt (or an NMI) could be taken at the next entry.
[[nodiscard]] bool vcpu_interruptible(struct vcpu *vcpu);
[[nodiscard]] bool vcpu_nmi_possible(struct vcpu *vcpu);
void vcpu_window(struct vcpu *vcpu, uint32_t wanted); // of PRIMARY_*_WINDOW
