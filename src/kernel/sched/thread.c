// SPDX-License-Identifier: BSD-2-Clause
// Access to the registers of a thread.
#include <sched/thread.h>

#include <cpu/bases.h>

void thread_rewind(struct thread *thread) {
	if (thread->context.rflags & CONTEXT_WHOLE)
		thread->context.rip = thread->trap.fault_ip;
	else
		thread->context.rip -= CONTEXT_SYSCALL_SIZE;
}

#define REGISTER(name) offsetof(struct thread, context.name)
#define TRAP(name) offsetof(struct thread, trap.name)

// Order of ReadRegisters (THR-10). Word 0 is the restart address.
static const uint16_t register_offsets[USER_CONTEXT_WORDS] = {TRAP(fault_ip), REGISTER(rsp),
	REGISTER(rflags), REGISTER(rax), REGISTER(rbx), TRAP(rcx), REGISTER(rdx), REGISTER(rsi),
	REGISTER(rdi), REGISTER(rbp), REGISTER(r8), REGISTER(r9), REGISTER(r10), TRAP(r11),
	REGISTER(r12), REGISTER(r13), REGISTER(r14), REGISTER(r15), REGISTER(fs_base),
	REGISTER(gs_base)};

static uint64_t *user_register(struct thread *thread, unsigned i) {
	struct cpu *cpu = this_cpu();

	context_complete(&thread->context, &thread->trap);
	// The bases of the current thread live in the CPU: user code changes them there.
	if (i >= REGISTER_FS_BASE && thread == cpu->current && cpu->bases_loaded) {
		bases_save(&thread->context);
		cpu->bases_loaded = false;
		cpu->need_resched = true;
	}
	return (uint64_t *)((char *)thread + register_offsets[i]);
}

uint64_t thread_read_register(struct thread *thread, unsigned i) {
	uint64_t value = *user_register(thread, i);

	return i == REGISTER_RFLAGS ? value & ~CONTEXT_WHOLE : value;
}

void thread_write_register(struct thread *thread, unsigned i, uint64_t value) {
	if (i == REGISTER_RFLAGS)
		value = (value & CONTEXT_RFLAGS_USER) | CONTEXT_RFLAGS | CONTEXT_WHOLE;
	else if (i == REGISTER_RIP || i >= REGISTER_FS_BASE)
		value = context_clean_address(value);
	*user_register(thread, i) = value;
}
