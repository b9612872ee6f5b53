// SPDX-License-Identifier: BSD-2-Clause
// Beyond the seL4 interface: guest state of a virtual CPU that the seL4 operations cannot reach
// (labels from 0x1000, docs/abi-extensions.md), and an answer of the initial task.
#pragma once

#include <abi/vcpu.h>
#include <abi/vcpu_state.h>

#include <sel4/invoke.h>

// Label of the reply that a caller gets when the domain it called was restarted meanwhile.
enum nacre_reply {
	NACRE_REPLY_RESTARTED = 0x4e52,
};

enum nacre_vcpu_field {
	NACRE_VCPU_CR2 = VCPU_STATE_CR2,
	NACRE_VCPU_DR0 = VCPU_STATE_DR0,
	NACRE_VCPU_DR1 = VCPU_STATE_DR1,
	NACRE_VCPU_DR2 = VCPU_STATE_DR2,
	NACRE_VCPU_DR3 = VCPU_STATE_DR3,
	NACRE_VCPU_DR6 = VCPU_STATE_DR6,
	NACRE_VCPU_TSC_OFFSET = VCPU_STATE_TSC_OFFSET,
	NACRE_VCPU_XCR0 = VCPU_STATE_XCR0,
	NACRE_VCPU_ENTRY_INSTRUCTION_LENGTH = VCPU_STATE_ENTRY_INSTRUCTION_LENGTH,
	NACRE_VCPU_XCR0_ALLOWED = VCPU_STATE_XCR0_ALLOWED,
	NACRE_VCPU_STAR = VCPU_STATE_STAR,
	NACRE_VCPU_LSTAR = VCPU_STATE_LSTAR,
	NACRE_VCPU_CSTAR = VCPU_STATE_CSTAR,
	NACRE_VCPU_FMASK = VCPU_STATE_FMASK,
	NACRE_VCPU_KERNEL_GS_BASE = VCPU_STATE_KERNEL_GS_BASE,
	NACRE_VCPU_TSC_AUX = VCPU_STATE_TSC_AUX,
};

struct nacre_VCPU_ReadState {
	seL4_Error error;
	seL4_Word value;
};

static inline seL4_Error nacre_VCPU_WriteState(
	seL4_X86_VCPU vcpu, seL4_Word field, seL4_Word value) {
	struct sel4_invocation call = {LABEL_VCPU_WRITE_STATE, 0, 2, {field, value, 0, 0}};

	return sel4_invoke(vcpu, &call);
}

static inline struct nacre_VCPU_ReadState nacre_VCPU_ReadState(
	seL4_X86_VCPU vcpu, seL4_Word field) {
	struct sel4_invocation call = {LABEL_VCPU_READ_STATE, 0, 1, {field, 0, 0, 0}};
	seL4_Error error = sel4_invoke(vcpu, &call);

	struct nacre_VCPU_ReadState result = {error, call.words[0]};

	return result;
}

// Access bits: VCPU_MSR_READ and VCPU_MSR_WRITE, the guest's direct use of the register.
static inline seL4_Error nacre_VCPU_SetMSRAccess(
	seL4_X86_VCPU vcpu, seL4_Word msr, seL4_Word access) {
	struct sel4_invocation call = {LABEL_VCPU_SET_MSR_ACCESS, 0, 2, {msr, access, 0, 0}};

	return sel4_invoke(vcpu, &call);
}

// Gives the VCPU a state page: a frame of 4 KiB in RAM, with rights to read and write. Null: none.
static inline seL4_Error nacre_VCPU_SetStatePage(seL4_X86_VCPU vcpu, seL4_CPtr frame) {
	struct sel4_invocation call = {LABEL_VCPU_SET_STATE_PAGE, frame != 0, 0, {0, 0, 0, 0}};

	seL4_SetCap(0, frame);
	return sel4_invoke(vcpu, &call);
}

// Writes groups (enum vcpu_group) into the state page.
static inline seL4_Error nacre_VCPU_SaveState(seL4_X86_VCPU vcpu, seL4_Word groups) {
	struct sel4_invocation call = {LABEL_VCPU_SAVE_STATE, 0, 1, {groups, 0, 0, 0}};

	return sel4_invoke(vcpu, &call);
}

// Runs the guest of this thread's VCPU by its state page until an exit (enum vcpu_exit_reason).
// *badge is that of the notification, where it is one.
static inline seL4_Word nacre_VCPU_Run(seL4_Word *badge) {
	struct sel4_registers registers = {0, 0, {0, 0, 0, 0}, 0, 0};

	sel4_syscall(SYSCALL_VCPU_RUN, &registers);
	if (badge) *badge = registers.rdi;
	return registers.rsi;
}
