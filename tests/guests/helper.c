// SPDX-License-Identifier: BSD-2-Clause
// Making and driving the helper thread.
#include "helper.h"

#include <user/slots.h>
#include <user/untyped.h>

#include "test.h"

enum {
	STACK_WORDS = 2048,
	SLICE_US = 2000,
	CONTEXT_SIZE_BITS = 8,
};

seL4_CPtr helper_tcb;
seL4_CPtr helper_reply;
seL4_CPtr helper_faults;
seL4_CPtr helper_notification;
seL4_CPtr helper_badged;
seL4_CPtr helper_sched_control;

seL4_CPtr helper_sched_context;
static seL4_Word stack[STACK_WORDS] __attribute__((aligned(16)));

static void entry(void (*function)(void)) {
	function();
	for (;;)
		helper_invoke(helper_tcb, LABEL_TCB_SUSPEND, 0);
}

seL4_Word helper_invoke(seL4_CPtr object, seL4_Word label, seL4_Word word) {
	struct sel4_registers registers = {
		.rdi = object, .rsi = tag_make(label, 0, 0, 1), .words = {word}};

	sel4_syscall(SYSCALL_CALL, &registers);
	return tag_label(registers.rsi);
}

seL4_Word helper_wait(seL4_CPtr notification) {
	struct sel4_registers registers = {.rdi = notification};

	sel4_syscall(SYSCALL_WAIT, &registers);
	return registers.rdi;
}

bool helper_start(const seL4_BootInfo *bootinfo) {
	helper_tcb = object_make(OBJECT_TCB, 0);
	helper_sched_context = object_make(OBJECT_SCHED_CONTEXT, CONTEXT_SIZE_BITS);
	helper_reply = object_make(OBJECT_REPLY, 0);
	helper_faults = object_make(OBJECT_ENDPOINT, 0);
	helper_notification = object_make(OBJECT_NOTIFICATION, 0);
	helper_badged = slots_allocate(1);
	helper_sched_control = bootinfo->schedcontrol.start;
	if (!helper_tcb || !helper_sched_context || !helper_reply || !helper_faults ||
		!helper_notification ||
		seL4_CNode_Mint(seL4_CapInitThreadCNode, helper_badged, seL4_WordBits,
			seL4_CapInitThreadCNode, helper_notification, seL4_WordBits, seL4_AllRights,
			HELPER_BADGE))
		return false;
	seL4_DebugNameThread(helper_tcb, "helper");
	if (seL4_TCB_Configure(helper_tcb, seL4_CapInitThreadCNode,
		    seL4_CNode_CapData_new(0, seL4_WordBits - bootinfo->initThreadCNodeSizeBits)
			    .words[0],
		    seL4_CapInitThreadVSpace, 0, 0, 0))
		return false;
	if (seL4_SchedControl_Configure(
		    helper_sched_control, helper_sched_context, SLICE_US, SLICE_US, 0, 0))
		return false;
	return seL4_TCB_SetPriority(seL4_CapInitThreadTCB, seL4_CapInitThreadTCB, HELPER_EQUAL) ==
		seL4_NoError;
}

void helper_run(void (*function)(void), seL4_Word priority) {
	seL4_UserContext context = {
		.rip = (seL4_Word)entry,
		.rsp = (seL4_Word)(stack + STACK_WORDS - 1),
		.rflags = 0x202,
		.rdi = (seL4_Word)function,
	};

	CHECK_EQUAL(seL4_TCB_SetSchedParams(helper_tcb, seL4_CapInitThreadTCB, HELPER_ABOVE,
			    priority, helper_sched_context, helper_faults),
		0);
	CHECK_EQUAL(seL4_TCB_WriteRegisters(
			    helper_tcb, 1, 0, sizeof(context) / sizeof(seL4_Word), &context),
		0);
}

void helper_stop(void) { CHECK_EQUAL(seL4_TCB_Suspend(helper_tcb), 0); }

void helper_check_unknown(int64_t number) {
	seL4_MessageInfo_t tag = seL4_Recv(helper_faults, NULL, helper_reply);

	CHECK_EQUAL(seL4_MessageInfo_get_label(tag), FAULT_UNKNOWN_SYSCALL);
	CHECK_EQUAL(seL4_GetMR(seL4_UnknownSyscall_Syscall), (uint64_t)number);
	helper_stop();
}

void helper_bind(void) {
	seL4_Poll(helper_notification, NULL); // what an earlier test left
	CHECK_EQUAL(seL4_TCB_BindNotification(seL4_CapInitThreadTCB, helper_notification), 0);
}

void helper_unbind(void) { CHECK_EQUAL(seL4_TCB_UnbindNotification(seL4_CapInitThreadTCB), 0); }

void helper_work(void) {
	static volatile uint64_t work;

	for (int i = 0; i < 20000; i++)
		work++;
}

void helper_signal(void) {
	struct sel4_registers registers = {.rdi = helper_badged, .rsi = 0};

	helper_work();
	sel4_syscall(SYSCALL_SEND, &registers);
}
