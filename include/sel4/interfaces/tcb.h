// SPDX-License-Identifier: BSD-2-Clause
// Operations on threads.
#pragma once

#include <abi/fault.h>

#include <sel4/syscalls.h>

static inline seL4_Error seL4_TCB_ReadRegisters(seL4_TCB _service, seL4_Bool suspend_source,
	seL4_Uint8 arch_flags, seL4_Word count, seL4_UserContext *regs) {
	struct sel4_invocation call = {.label = LABEL_TCB_READ_REGISTERS,
		.length = 2,
		.words = {(suspend_source & 1) | (seL4_Word)arch_flags << 8, count}};
	seL4_Error error = sel4_invoke(_service, &call);
	seL4_Word *words = (seL4_Word *)regs;

	for (int i = 0; error == seL4_NoError && i < USER_CONTEXT_WORDS; i++) {
		if ((seL4_Word)i < count)
			words[i] = i < MESSAGE_REGISTERS ? call.words[i] : seL4_GetMR(i);
	}
	return error;
}

static inline seL4_Error seL4_TCB_WriteRegisters(seL4_TCB _service, seL4_Bool resume_target,
	seL4_Uint8 arch_flags, seL4_Word count, seL4_UserContext *regs) {
	const seL4_Word *words = (const seL4_Word *)regs;
	struct sel4_invocation call = {.label = LABEL_TCB_WRITE_REGISTERS,
		.length = 2 + USER_CONTEXT_WORDS,
		.words = {(resume_target & 1) | (seL4_Word)arch_flags << 8, count,
			count > 0 ? words[0] : 0, count > 1 ? words[1] : 0}};

	for (int i = 2; i < USER_CONTEXT_WORDS && (seL4_Word)i < count; i++)
		seL4_SetMR(i + 2, words[i]);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_TCB_CopyRegisters(seL4_TCB _service, seL4_TCB source,
	seL4_Bool suspend_source, seL4_Bool resume_target, seL4_Bool transfer_frame,
	seL4_Bool transfer_integer, seL4_Uint8 arch_flags) {
	struct sel4_invocation call = {.label = LABEL_TCB_COPY_REGISTERS,
		.caps = 1,
		.length = 1,
		.words = {(suspend_source & 1ul) | (resume_target & 1ul) << 1 |
			(transfer_frame & 1ul) << 2 | (transfer_integer & 1ul) << 3 |
			(seL4_Word)arch_flags << 8}};

	seL4_SetCap(0, source);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_TCB_Configure(seL4_TCB _service, seL4_CNode cspace_root,
	seL4_Word cspace_root_data, seL4_CPtr vspace_root, seL4_Word vspace_root_data,
	seL4_Word buffer, seL4_CPtr bufferFrame) {
	struct sel4_invocation call = {.label = LABEL_TCB_CONFIGURE,
		.caps = 3,
		.length = 3,
		.words = {cspace_root_data, vspace_root_data, buffer}};

	seL4_SetCap(0, cspace_root);
	seL4_SetCap(1, vspace_root);
	seL4_SetCap(2, bufferFrame);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_TCB_SetPriority(
	seL4_TCB _service, seL4_TCB authority, seL4_Word priority) {
	struct sel4_invocation call = {
		.label = LABEL_TCB_SET_PRIORITY, .caps = 1, .length = 1, .words = {priority}};

	seL4_SetCap(0, authority);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_TCB_SetMCPriority(
	seL4_TCB _service, seL4_TCB authority, seL4_Word mcp) {
	struct sel4_invocation call = {
		.label = LABEL_TCB_SET_MC_PRIORITY, .caps = 1, .length = 1, .words = {mcp}};

	seL4_SetCap(0, authority);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_TCB_SetSchedParams(seL4_TCB _service, seL4_TCB authority,
	seL4_Word mcp, seL4_Word priority, seL4_CPtr sched_context, seL4_CPtr fault_ep) {
	struct sel4_invocation call = {.label = LABEL_TCB_SET_SCHED_PARAMS,
		.caps = 3,
		.length = 2,
		.words = {mcp, priority}};

	seL4_SetCap(0, authority);
	seL4_SetCap(1, sched_context);
	seL4_SetCap(2, fault_ep);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_TCB_SetTimeoutEndpoint(
	seL4_TCB _service, seL4_CPtr timeout_fault_ep) {
	return sel4_invoke_cap(_service, LABEL_TCB_SET_TIMEOUT_ENDPOINT, timeout_fault_ep);
}

static inline seL4_Error seL4_TCB_SetIPCBuffer(
	seL4_TCB _service, seL4_Word buffer, seL4_CPtr bufferFrame) {
	struct sel4_invocation call = {
		.label = LABEL_TCB_SET_IPC_BUFFER, .caps = 1, .length = 1, .words = {buffer}};

	seL4_SetCap(0, bufferFrame);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_TCB_SetSpace(seL4_TCB _service, seL4_CPtr fault_ep,
	seL4_CNode cspace_root, seL4_Word cspace_root_data, seL4_CPtr vspace_root,
	seL4_Word vspace_root_data) {
	struct sel4_invocation call = {.label = LABEL_TCB_SET_SPACE,
		.caps = 3,
		.length = 2,
		.words = {cspace_root_data, vspace_root_data}};

	seL4_SetCap(0, fault_ep);
	seL4_SetCap(1, cspace_root);
	seL4_SetCap(2, vspace_root);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_TCB_Suspend(seL4_TCB _service) {
	return sel4_invoke_plain(_service, LABEL_TCB_SUSPEND);
}

static inline seL4_Error seL4_TCB_Resume(seL4_TCB _service) {
	return sel4_invoke_plain(_service, LABEL_TCB_RESUME);
}

static inline seL4_Error seL4_TCB_BindNotification(seL4_TCB _service, seL4_CPtr notification) {
	return sel4_invoke_cap(_service, LABEL_TCB_BIND_NOTIFICATION, notification);
}

static inline seL4_Error seL4_TCB_UnbindNotification(seL4_TCB _service) {
	return sel4_invoke_plain(_service, LABEL_TCB_UNBIND_NOTIFICATION);
}

static inline seL4_Error seL4_TCB_SetTLSBase(seL4_TCB _service, seL4_Word tls_base) {
	struct sel4_invocation call = {
		.label = LABEL_TCB_SET_TLS_BASE, .length = 1, .words = {tls_base}};

	return sel4_invoke(_service, &call);
}

typedef struct seL4_TCB_SetFlags {
	int error;
	seL4_Word flags;
} seL4_TCB_SetFlags_t;

static inline seL4_TCB_SetFlags_t seL4_TCB_SetFlags(
	seL4_TCB _service, seL4_Word clear, seL4_Word set) {
	struct sel4_invocation call = {
		.label = LABEL_TCB_SET_FLAGS, .length = 2, .words = {clear, set}};
	seL4_Error error = sel4_invoke(_service, &call);

	return (seL4_TCB_SetFlags_t){(int)error, call.words[0]};
}

static inline seL4_Error seL4_TCB_SetEPTRoot(seL4_TCB _service, seL4_X86_EPTPML4 eptpml4) {
	return sel4_invoke_cap(_service, LABEL_TCB_SET_EPT_ROOT, eptpml4);
}
