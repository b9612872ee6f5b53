// SPDX-License-Identifier: BSD-2-Clause
// A thread makes a debug call that prints nothing and then sends a message. The initial task sees
// either the message or the thread's fault.
#include <root/probe.h>

#include <sel4/sel4.h>

#include <user/slots.h>
#include <user/untyped.h>

enum {
	PROBE_STACK_WORDS = 128,
	PROBE_DONE = 0x100, // label of the message; no fault has it
	PROBE_SCHED_CONTEXT_BITS = 8,
	PROBE_BUDGET = 5000, // microseconds
	CONTEXT_START_WORDS = 2,
};

// Used by the probe thread only, and by probe_debug_calls to tell it where to send.
static seL4_Word probe_stack[PROBE_STACK_WORDS] __attribute__((aligned(16)));
static seL4_CPtr probe_endpoint;

static void probe_thread(void) {
	seL4_DebugCapIdentify(seL4_CapNull);
	seL4_Send(probe_endpoint, seL4_MessageInfo_new(PROBE_DONE, 0, 0, 0));
	for (;;)
		;
}

static seL4_Error probe_start(seL4_CPtr tcb, seL4_CPtr sched_context) {
	// The stack pointer is that of a function just called.
	seL4_UserContext context = {
		.rip = (seL4_Word)probe_thread,
		.rsp = (seL4_Word)&probe_stack[PROBE_STACK_WORDS - 1],
	};
	seL4_Error error = seL4_TCB_Configure(
		tcb, seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0, 0, seL4_CapNull);

	if (!error)
		error = seL4_TCB_SetSchedParams(tcb, seL4_CapInitThreadTCB, seL4_MaxPrio,
			seL4_MaxPrio, sched_context, probe_endpoint);
	if (!error)
		error = seL4_TCB_WriteRegisters(tcb, seL4_True, 0, CONTEXT_START_WORDS, &context);
	return error;
}

bool probe_debug_calls(const seL4_BootInfo *bootinfo) {
	seL4_CPtr tcb = object_make(OBJECT_TCB, 0);
	seL4_CPtr sched_context = object_make(OBJECT_SCHED_CONTEXT, PROBE_SCHED_CONTEXT_BITS);
	seL4_CPtr reply = object_make(OBJECT_REPLY, 0);
	seL4_MessageInfo_t tag;

	probe_endpoint = object_make(OBJECT_ENDPOINT, 0);
	if (!tcb || !sched_context || !reply || !probe_endpoint) return false;
	if (seL4_SchedControl_ConfigureFlags(bootinfo->schedcontrol.start, sched_context,
		    PROBE_BUDGET, PROBE_BUDGET, 0, 0, 0) ||
		probe_start(tcb, sched_context))
		return false;
	tag = seL4_Recv(probe_endpoint, seL4_Null, reply);
	slots_delete(tcb, 1);
	slots_delete(sched_context, 1);
	slots_delete(reply, 1);
	slots_delete(probe_endpoint, 1);
	return seL4_MessageInfo_get_label(tag) == PROBE_DONE;
}
