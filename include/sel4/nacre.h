// SPDX-License-Identifier: BSD-2-Clause
// Beyond the seL4 interface: what the seL4 operations of a virtual CPU cannot do (labels from
// 0x1000, docs/abi-extensions.md), and an answer of the initial task.
#pragma once

#include <abi/vcpu.h>
#include <abi/vcpu_state.h>

#include <sel4/invoke.h>

// Label of the reply that a caller gets when the domain it called was restarted meanwhile.
enum nacre_reply {
	NACRE_REPLY_RESTARTED = 0x4e52,
};

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

// What raises a message's interrupt on a core: the id of its APIC, and what the device sends.
struct nacre_message {
	seL4_Word apic, address, data;
};

// The interrupt comes to this core from now on; that of a message when its device sends what
// *message becomes.
static inline seL4_Error nacre_IRQHandler_SetCore(
	seL4_IRQHandler handler, seL4_Word core, struct nacre_message *message) {
	struct sel4_invocation call = {LABEL_IRQ_HANDLER_SET_CORE, 0, 1, {core, 0, 0, 0}};
	seL4_Error error = sel4_invoke(handler, &call);

	if (error || !message) return error;
	message->apic = call.words[0];
	message->address = call.words[1];
	message->data = call.words[2];
	return error;
}

// Runs the guest of this thread's VCPU by its state page until an exit (enum vcpu_exit_reason).
// *badge is that of the notification, where it is one.
static inline seL4_Word nacre_VCPU_Run(seL4_Word *badge) {
	seL4_Word reason, word;

	__asm__ volatile("syscall"
			 : "=S"(reason), "=D"(word)
			 : "d"((seL4_Word)SYSCALL_VCPU_RUN)
			 : "rcx", "r11", "memory");
	if (badge) *badge = word;
	return reason;
}
