// SPDX-License-Identifier: BSD-2-Clause
// Numbers the assembler shares with C. Compiled to assembly text and never linked; offsets.py takes
// the marked lines.
#include <cpu/context.h>
#include <cpu/percpu.h>
#include <cpu/segments.h>
#include <object/vcpu.h>
#include <stddef.h>

#define DEFINE(name, value) asm volatile("\n@define " #name " %c0" : : "i"((long)(value)))
#define CONTEXT(name, field) DEFINE(CONTEXT_##name, offsetof(struct context, field))
#define VCPU(name, field) DEFINE(VCPU_##name, offsetof(struct vcpu, field))
#define CPU(name, field) DEFINE(CPU_##name, offsetof(struct cpu, field))
#define VECTOR(name) DEFINE(VECTOR_##name, VECTOR_##name)

void offsets(void);

void offsets(void) {
	CONTEXT(R15, r15);
	CONTEXT(R14, r14);
	CONTEXT(R13, r13);
	CONTEXT(R12, r12);
	CONTEXT(R11, r11);
	CONTEXT(R10, r10);
	CONTEXT(R9, r9);
	CONTEXT(R8, r8);
	CONTEXT(RDI, rdi);
	CONTEXT(RSI, rsi);
	CONTEXT(RBP, rbp);
	CONTEXT(RBX, rbx);
	CONTEXT(RDX, rdx);
	CONTEXT(RCX, rcx);
	CONTEXT(RAX, rax);
	CONTEXT(RIP, rip);
	CONTEXT(RFLAGS, rflags);
	CONTEXT(RSP, rsp);
	CONTEXT(FAULT_IP, fault_ip);
	CONTEXT(HOW, how);
	CONTEXT(VECTOR, vector);
	CONTEXT(ERROR_CODE, error_code);
	CONTEXT(FAULT_ADDRESS, fault_address);
	DEFINE(CONTEXT_SYSRET, CONTEXT_SYSRET);
	DEFINE(CONTEXT_IRET, CONTEXT_IRET);

	CPU(CURRENT_CONTEXT, current_context);
	CPU(KERNEL_STACK, kernel_stack);
	CPU(SCRATCH, scratch);
	CPU(GUEST, guest);
	VCPU(REGISTERS, registers);
	VCPU(LAUNCHED, launched);
	VCPU(ENTRY_FAILED, entry_failed);
	DEFINE(WAY_OUT_USER, WAY_OUT_USER);
	DEFINE(WAY_OUT_GUEST, WAY_OUT_GUEST);
	DEFINE(VCPU_GENERAL, offsetof(struct vcpu, registers));
	DEFINE(VCPU_LAUNCHED, offsetof(struct vcpu, launched));
	DEFINE(VCPU_ENTRY_FAILED, offsetof(struct vcpu, entry_failed));
	DEFINE(STUB_SIZE, STUB_SIZE);
	VECTOR(NMI);
	VECTOR(DOUBLE_FAULT);
	VECTOR(PROTECTION);
	VECTOR(PAGE_FAULT);
	VECTOR(MACHINE_CHECK);
	VECTOR(EXCEPTIONS);
	DEFINE(SELECTOR_USER_CODE, SELECTOR_USER_CODE);
	DEFINE(SELECTOR_USER_DATA, SELECTOR_USER_DATA);
}
