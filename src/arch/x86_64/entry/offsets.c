// SPDX-License-Identifier: BSD-2-Clause
// Numbers the assembler shares with C. Compiled to assembly text and never linked; offsets.py takes
// the marked lines.
#include <abi/syscall.h>
#include <cpu/segments.h>
#include <kernel/thread.h>
#include <object/vcpu.h>

#define DEFINE(name, value) asm volatile(".ascii \"@define " #name " %c0\"" : : "i"((long)(value)))
_Static_assert(offsetof(struct thread, context) == 0);
#define CONTEXT(name, field) DEFINE(CONTEXT_##name, offsetof(struct context, field))
#define TRAP(name, field) DEFINE(TRAP_##name, offsetof(struct thread, trap.field))
#define VCPU(name, field) DEFINE(VCPU_##name, offsetof(struct vcpu, field))
#define CPU(name, field) DEFINE(CPU_##name, offsetof(struct cpu, field))
#define SAME(name) DEFINE(name, name)
#define DEFENCE(name) DEFINE(DEFENCE_##name, DEFENCE_BIT(name))

[[gnu::used]] static void offsets(void) {
	DEFINE(CONTEXT_FRAME, CONTEXT_FRAME);
	CONTEXT(RIP, rip);
	CONTEXT(RDX, rdx);
	CONTEXT(RAX, rax);
	CONTEXT(RBX, rbx);
	CONTEXT(RFLAGS, rflags);
	CONTEXT(RSP, rsp);
	DEFINE(CONTEXT_WHOLE_BIT, __builtin_ctzl(CONTEXT_WHOLE));
	TRAP(RCX, rcx);
	TRAP(R11, r11);
	TRAP(FAULT_IP, fault_ip);
	CPU(CURRENT, current);
	CPU(KERNEL_STACK, kernel_stack);
	CPU(SCRATCH, scratch);
	CPU(GUEST, guest);
	CPU(KERNEL_CR3, kernel_cr3);
	CPU(PROGRAM_ROOT, program_root);
	DEFINE(THREAD_PROGRAM_ROOT, offsetof(struct thread, program_root));
	CPU(ENTRY_STACK, entry_stack);
	CPU(SPEC_CTRL, spec_ctrl);
	CPU(PROGRAM_SPEC_CTRL, program_spec_ctrl);
	DEFENCE(KPTI);
	DEFENCE(VERW);
	DEFENCE(L1D_FLUSH);
	DEFENCE(IBRS_ENTRY);
	DEFENCE(IBPB_SPACES);
	DEFENCE(RSB);
	DEFENCE(BHI_SEQUENCE);
	DEFENCE(ITS);
	DEFENCE(DIV0);
	DEFENCE(SWAPGS);
	DEFENCE(SMAP);
	DEFENCE(NO_KPTI);
	DEFENCE(ALWAYS);
	VCPU(REGISTERS, registers);
	VCPU(LAUNCHED, launched);
	VCPU(ENTRY_FAILED, entry_failed);
	SAME(SYSCALL_CALL);
	SAME(SYSCALL_REPLY_RECV);
	SAME(SYSCALL_SEND);
	SAME(SYSCALL_NULL);
	SAME(WAY_OUT_USER);
	SAME(WAY_OUT_GUEST);
	DEFINE(STUB_SIZE, STUB_SIZE);
	SAME(VECTOR_NMI);
	SAME(VECTOR_DOUBLE_FAULT);
	SAME(VECTOR_PROTECTION);
	SAME(VECTOR_MACHINE_CHECK);
	SAME(VECTOR_MESSAGES);
	SAME(SELECTOR_KERNEL_DATA);
	SAME(SELECTOR_USER_CODE);
	SAME(SELECTOR_USER_DATA);
}
