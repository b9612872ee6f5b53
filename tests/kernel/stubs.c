// SPDX-License-Identifier: BSD-2-Clause
// Tests: libsel4's stubs reach the operations they name.
#include <sel4/sel4.h>
#include "world.h"

static void objects(void) {
	seL4_CPtr slot = slot_take();
	seL4_CPtr copy = slot_take();

	CHECK_EQUAL(seL4_Untyped_Retype(world.arena, seL4_EndpointObject, 0,
			    seL4_CapInitThreadCNode, 0, 0, slot, 1),
		seL4_NoError);
	CHECK_EQUAL(seL4_CNode_Mint(seL4_CapInitThreadCNode, copy, seL4_WordBits,
			    seL4_CapInitThreadCNode, slot, seL4_WordBits, seL4_AllRights, 9),
		seL4_NoError);
	CHECK_EQUAL(seL4_CNode_Copy(seL4_CapInitThreadCNode, copy, seL4_WordBits,
			    seL4_CapInitThreadCNode, slot, seL4_WordBits, seL4_AllRights),
		seL4_DeleteFirst);
	CHECK_EQUAL(seL4_CNode_Revoke(seL4_CapInitThreadCNode, slot, seL4_WordBits), seL4_NoError);
	CHECK_EQUAL(seL4_DebugCapIdentify(copy), 0);
	CHECK_EQUAL(seL4_CNode_Delete(seL4_CapInitThreadCNode, slot, seL4_WordBits), seL4_NoError);
	CHECK_EQUAL(seL4_DebugCapIdentify(slot), 0);
}

static void error_words(void) {
	CHECK_EQUAL(seL4_CNode_Delete(seL4_CapInitThreadCNode, 1, 63), seL4_FailedLookup);
	// The stub leaves the payload in the IPC buffer.
	CHECK_EQUAL(seL4_GetMR(0), 0);
	CHECK_EQUAL(seL4_GetMR(1), LOOKUP_DEPTH_MISMATCH);
	CHECK_EQUAL(seL4_GetMR(2), 63);
	CHECK_EQUAL(seL4_GetMR(3), 64);
}

static void registers(void) {
	seL4_CPtr tcb = object_new(OBJECT_TCB, 0);
	seL4_UserContext written = {
		.rip = 0x1000, .rsp = 0x2000, .rax = 3, .r15 = 4, .fs_base = 0x5000};
	seL4_UserContext read = {0};

	CHECK_EQUAL(seL4_TCB_WriteRegisters(tcb, 0, 0, 20, &written), seL4_NoError);
	CHECK_EQUAL(seL4_TCB_ReadRegisters(tcb, 0, 0, 20, &read), seL4_NoError);
	CHECK_EQUAL(read.rip, 0x1000);
	CHECK_EQUAL(read.rsp, 0x2000);
	CHECK_EQUAL(read.rax, 3);
	CHECK_EQUAL(read.r15, 4);
	CHECK_EQUAL(read.fs_base, 0x5000);
	CHECK_EQUAL(seL4_TCB_SetFlags(tcb, 0, 1).flags, 1);
	CHECK_EQUAL(seL4_TCB_SetPriority(tcb, seL4_CapInitThreadTCB, 5), seL4_NoError);
	CHECK_EQUAL(seL4_TCB_SetPriority(tcb, seL4_CapInitThreadTCB, 256), seL4_RangeError);
}

static void call_words(struct helper *helper) {
	helper->message = ipc_call(helper->argument[0], 6, WORDS(1, 2, 3, 4, 5, 6));
}

static void messages(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	seL4_CPtr endpoint = object_new(OBJECT_ENDPOINT, 0);
	seL4_CPtr reply = object_new(OBJECT_REPLY, 0);
	seL4_MessageInfo_t tag;
	seL4_Word badge = 0;

	helper->argument[0] = cap_mint(endpoint, RIGHTS_ALL, 0x88);
	helper_start(helper, call_words);
	tag = seL4_Recv(endpoint, &badge, reply);
	CHECK_EQUAL(badge, 0x88);
	CHECK_EQUAL(seL4_MessageInfo_get_label(tag), 6);
	CHECK_EQUAL(seL4_MessageInfo_get_length(tag), 6);
	for (int word = 0; word < 6; word++)
		CHECK_EQUAL(seL4_GetMR(word), word + 1);
	seL4_SetMR(0, 70);
	seL4_SetMR(5, 75);
	seL4_Send(reply, seL4_MessageInfo_new(7, 0, 0, 6));
	settle();
	CHECK_EQUAL(helper->message.label, 7);
	CHECK_EQUAL(helper->message.words[0], 70);
	CHECK_EQUAL(helper->message.words[5], 75);
}

static void notifications(void) {
	seL4_CPtr notification = object_new(OBJECT_NOTIFICATION, 0);
	seL4_Word badge = 1;

	(void)seL4_Poll(notification, &badge);
	CHECK_EQUAL(badge, 0);
	seL4_Signal(cap_mint(notification, RIGHTS_ALL, 0x30));
	(void)seL4_Wait(notification, &badge);
	CHECK_EQUAL(badge, 0x30);
	seL4_Yield();
}

static void scheduling(void) {
	seL4_CPtr sched_context = object_new(OBJECT_SCHED_CONTEXT, 8);
	seL4_CPtr tcb = object_new(OBJECT_TCB, 0);

	CHECK_EQUAL(seL4_SchedControl_ConfigureFlags(
			    world.sched_control, sched_context, 1000, 2000, 0, 5, 0),
		seL4_NoError);
	CHECK_EQUAL(seL4_SchedContext_Bind(sched_context, tcb), seL4_NoError);
	CHECK_EQUAL(seL4_SchedContext_Bind(sched_context, tcb), seL4_IllegalOperation);
	CHECK_EQUAL(seL4_SchedContext_Unbind(sched_context), seL4_NoError);
	CHECK_EQUAL(seL4_SchedContext_Consumed(sched_context).error, seL4_NoError);
}

static void mapping(void) {
	seL4_CPtr frame = object_new(OBJECT_PAGE, 0);

	tables_make(seL4_CapInitThreadVSpace, TEST_ADDRESS);
	CHECK_EQUAL(seL4_X86_Page_Map(frame, seL4_CapInitThreadVSpace, TEST_ADDRESS, seL4_ReadWrite,
			    seL4_X86_Default_VMAttributes),
		seL4_NoError);
	*(volatile uint64_t *)TEST_ADDRESS = 4;
	CHECK_EQUAL(seL4_X86_Page_GetAddress(frame).paddr & 0xfff, 0);
	CHECK_EQUAL(seL4_X86_Page_Unmap(frame), seL4_NoError);
}

static const struct test tests[] = {
	{"stubs-objects", "Retype and the CNode stubs", objects, NULL},
	{"stubs-error", "a stub that fails leaves the error's words in the IPC buffer", error_words,
		NULL},
	{"stubs-registers", "the TCB stubs", registers, NULL},
	{"stubs-messages", "Recv and Send with message words", messages, NULL},
	{"stubs-notifications", "Signal, Poll and Wait", notifications, NULL},
	{"stubs-scheduling", "the scheduling stubs", scheduling, NULL},
	{"stubs-mapping", "the page stubs", mapping, NULL},
};

TEST_FILE(stubs);
