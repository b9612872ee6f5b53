// SPDX-License-Identifier: BSD-2-Clause
// Objects and initial registers of the initial task's other threads.
#include <root/thread.h>

#include <stddef.h>

#include <user/untyped.h>
#include <x86/cr.h>

enum {
	SCHED_CONTEXT_BITS = 8,
	CONTEXT_START_WORDS = offsetof(seL4_UserContext, rbp) / sizeof(seL4_Word), // to RDI
};

seL4_Error thread_make(
	const seL4_BootInfo *bootinfo, const struct thread_plan *plan, struct thread *thread) {
	// The stack pointer is aligned as just after a call.
	seL4_UserContext context = {
		.rip = (seL4_Word)plan->entry,
		.rsp = (seL4_Word)(plan->stack_end - 1),
		.rflags = FLAGS_FIXED | FLAGS_IF,
		.rdi = (seL4_Word)plan->argument,
	};
	seL4_Error error;

	thread->tcb = object_make(OBJECT_TCB, 0);
	thread->sched_context = object_make(OBJECT_SCHED_CONTEXT, SCHED_CONTEXT_BITS);
	if (!thread->tcb || !thread->sched_context) return seL4_NotEnoughMemory;
	error = seL4_SchedControl_ConfigureFlags(bootinfo->schedcontrol.start + plan->core,
		thread->sched_context, plan->budget, plan->period, 0, 0, 0);
	if (!error)
		error = seL4_TCB_Configure(thread->tcb, seL4_CapInitThreadCNode, 0,
			plan->space ? plan->space : seL4_CapInitThreadVSpace, 0, 0, seL4_CapNull);
	if (!error)
		error = seL4_TCB_SetSchedParams(thread->tcb, seL4_CapInitThreadTCB, seL4_MaxPrio,
			plan->priority, thread->sched_context, plan->fault_endpoint);
	return error ? error
		     : seL4_TCB_WriteRegisters(
			       thread->tcb, seL4_False, 0, CONTEXT_START_WORDS, &context);
}
