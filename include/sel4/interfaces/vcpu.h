// SPDX-License-Identifier: BSD-2-Clause
// Operations on virtual CPUs.
#pragma once

#include <abi/vcpu.h>

#include <sel4/syscalls.h>

static inline seL4_Error seL4_X86_VCPU_SetTCB(seL4_X86_VCPU _service, seL4_TCB tcb) {
	return sel4_invoke_cap(_service, LABEL_VCPU_SET_TCB, tcb);
}

typedef struct seL4_X86_VCPU_ReadVMCS {
	int error;
	seL4_Word value;
} seL4_X86_VCPU_ReadVMCS_t;

static inline seL4_X86_VCPU_ReadVMCS_t seL4_X86_VCPU_ReadVMCS(
	seL4_X86_VCPU _service, seL4_Word field) {
	struct sel4_invocation call = {
		.label = LABEL_VCPU_READ_VMCS, .length = 1, .words = {field}};
	seL4_Error error = sel4_invoke(_service, &call);

	return (seL4_X86_VCPU_ReadVMCS_t){(int)error, call.words[0]};
}

typedef struct seL4_X86_VCPU_WriteVMCS {
	int error;
	seL4_Word written;
} seL4_X86_VCPU_WriteVMCS_t;

static inline seL4_X86_VCPU_WriteVMCS_t seL4_X86_VCPU_WriteVMCS(
	seL4_X86_VCPU _service, seL4_Word field, seL4_Word value) {
	struct sel4_invocation call = {
		.label = LABEL_VCPU_WRITE_VMCS, .length = 2, .words = {field, value}};
	seL4_Error error = sel4_invoke(_service, &call);

	return (seL4_X86_VCPU_WriteVMCS_t){(int)error, call.words[0]};
}

typedef struct seL4_X86_VCPU_ReadMSR {
	int error;
	seL4_Word value;
} seL4_X86_VCPU_ReadMSR_t;

static inline seL4_X86_VCPU_ReadMSR_t seL4_X86_VCPU_ReadMSR(
	seL4_X86_VCPU _service, seL4_Word field) {
	struct sel4_invocation call = {.label = LABEL_VCPU_READ_MSR, .length = 1, .words = {field}};
	seL4_Error error = sel4_invoke(_service, &call);

	return (seL4_X86_VCPU_ReadMSR_t){(int)error, call.words[0]};
}

typedef struct seL4_X86_VCPU_WriteMSR {
	int error;
	seL4_Word written;
} seL4_X86_VCPU_WriteMSR_t;

static inline seL4_X86_VCPU_WriteMSR_t seL4_X86_VCPU_WriteMSR(
	seL4_X86_VCPU _service, seL4_Word field, seL4_Word value) {
	struct sel4_invocation call = {
		.label = LABEL_VCPU_WRITE_MSR, .length = 2, .words = {field, value}};
	seL4_Error error = sel4_invoke(_service, &call);

	return (seL4_X86_VCPU_WriteMSR_t){(int)error, call.words[0]};
}

static inline seL4_Error seL4_X86_VCPU_EnableIOPort(
	seL4_X86_VCPU _service, seL4_X86_IOPort ioPort, seL4_Word low, seL4_Word high) {
	struct sel4_invocation call = {
		.label = LABEL_VCPU_ENABLE_IO_PORT, .caps = 1, .length = 2, .words = {low, high}};

	seL4_SetCap(0, ioPort);
	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_X86_VCPU_DisableIOPort(
	seL4_X86_VCPU _service, seL4_Word low, seL4_Word high) {
	struct sel4_invocation call = {
		.label = LABEL_VCPU_DISABLE_IO_PORT, .length = 2, .words = {low, high}};

	return sel4_invoke(_service, &call);
}

static inline seL4_Error seL4_X86_VCPU_WriteRegisters(
	seL4_X86_VCPU _service, seL4_VCPUContext *regs) {
	const seL4_Word *words = (const seL4_Word *)regs;
	struct sel4_invocation call = {.label = LABEL_VCPU_WRITE_REGISTERS,
		.length = VCPU_REGISTERS,
		.words = {words[0], words[1], words[2], words[3]}};

	for (int i = MESSAGE_REGISTERS; i < VCPU_REGISTERS; i++)
		seL4_SetMR(i, words[i]);
	return sel4_invoke(_service, &call);
}
