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
#define SAME(name) DEFINE(name, name)

[[gnu::used]] static void offsets(void) {
	CONTEXT(R15, r15);
	CONTEXT(R11, r11);
	CONTEXT(R10, r10);
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
	SAME(CONTEXT_SYSRET);
	SAME(CONTEXT_IRET);
	CPU(CURRENT_CONTEXT, current_context);
	CPU(KERNEL_STACK, kernel_stack);
	CPU(SCRATCH, scratch);
	CPU(GUEST, guest);
	VCPU(REGISTERS, registers);
	VCPU(LAUNCHED, launched);
	VCPU(ENTRY_FAILED, entry_failed);
	SAME(WAY_OUT_USER);
	SAME(WAY_OUT_GUEST);
	DEFINE(STUB_SIZE, STUB_SIZE);
	SAME(VECTOR_NMI);
	SAME(VECTOR_DOUBLE_FAULT);
	SAME(VECTOR_PROTECTION);
	SAME(VECTOR_PAGE_FAULT);
	SAME(VECTOR_MACHINE_CHECK);
	SAME(VECTOR_EXCEPTIONS);
	SAME(SELECTOR_USER_CODE);
	SAME(SELECTOR_USER_DATA);
}
