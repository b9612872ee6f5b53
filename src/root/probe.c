// SPDX-License-Identifier: BSD-2-Clause
// A thread makes a debug call that prints nothing and then sends a message. The initial task sees
// either the message or the thread's fault.
#include <root/probe.h>

#include <root/thread.h>

#include <user/slots.h>
#include <user/untyped.h>

enum {
	PROBE_STACK_WORDS = 128,
	PROBE_DONE = 0x100, // label of the message; no fault has it
	PROBE_BUDGET = 5000, // microseconds
};

// Used by the probe thread only, and by probe_debug_calls to set where it sends to.
static seL4_Word probe_stack[PROBE_STACK_WORDS] __attribute__((aligned(16)));
static seL4_CPtr probe_endpoint;

static void probe_thread(void *) {
	seL4_DebugCapIdentify(seL4_CapNull);
	seL4_Send(probe_endpoint, seL4_MessageInfo_new(PROBE_DONE, 0, 0, 0));
	for (;;)
		;
}

bool probe_debug_calls(const seL4_BootInfo *bootinfo) {
	struct thread_plan plan = {
		.entry = probe_thread,
		.stack_end = probe_stack + PROBE_STACK_WORDS,
		.priority = seL4_MaxPrio,
		.budget = PROBE_BUDGET,
		.period = PROBE_BUDGET,
	};
	seL4_CPtr reply = object_make(OBJECT_REPLY, 0);
	struct thread probe;
	seL4_MessageInfo_t tag;

	probe_endpoint = object_make(OBJECT_ENDPOINT, 0);
	plan.fault_endpoint = probe_endpoint;
	if (!reply || !probe_endpoint || thread_make(bootinfo, &plan, &probe) ||
		seL4_TCB_Resume(probe.tcb))
		return false;
	tag = seL4_Recv(probe_endpoint, seL4_Null, reply);
	slots_delete(probe.tcb, 1);
	slots_delete(probe.sched_context, 1);
	slots_delete(reply, 1);
	slots_delete(probe_endpoint, 1);
	return seL4_MessageInfo_get_label(tag) == PROBE_DONE;
}
