// SPDX-License-Identifier: BSD-2-Clause
// Tests: TCB operations that succeed, and what suspend and resume do to a thread.
#include "snippets.h"
#include "world.h"

static struct message tcb_invoke(uint64_t tcb, uint64_t label, struct words words) {
	return invoke(tcb, label, CAPS(ROOT_SLOT_TCB), words);
}

static void count_once(struct helper *helper) { helper->count++; }

static void start_and_finish(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper_start(helper, count_once);
	CHECK_EQUAL(helper->count, 0); // lower priority than this thread
	settle();
	CHECK_EQUAL(helper->count, 1);
	CHECK_EQUAL(helper->done, 1);
}

static void spin(struct helper *helper) {
	for (;;)
		helper->count++;
}

static void suspend_resume(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t count;

	helper_start(helper, spin);
	CHECK_SOON(helper->count != 0);
	CHECK_OK(tcb_invoke(helper->tcb, LABEL_TCB_SUSPEND, WORDS()));
	count = helper->count;
	sleep_microseconds(5000);
	CHECK_EQUAL(helper->count, count);
	CHECK_OK(tcb_invoke(helper->tcb, LABEL_TCB_RESUME, WORDS()));
	CHECK_SOON(helper->count > count);
}

static void suspend_self(struct helper *helper) {
	helper->count = 1;
	(void)invoke(helper->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS());
	helper->count = 2;
}

static void suspend_own(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper_start(helper, suspend_self);
	settle();
	CHECK_EQUAL(helper->count, 1);
	CHECK_OK(tcb_invoke(helper->tcb, LABEL_TCB_RESUME, WORDS()));
	settle();
	CHECK_EQUAL(helper->count, 2);
}

static void wait_twice(struct helper *helper) {
	(void)ipc_wait(helper->argument[0]);
	helper->count++;
	(void)ipc_wait(helper->argument[0]);
	helper->count++;
}

static void resume_restarts(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(helper, wait_twice);
	settle();
	// The wait is cancelled and executed again: nothing was received.
	CHECK_OK(tcb_invoke(helper->tcb, LABEL_TCB_RESUME, WORDS()));
	settle();
	CHECK_EQUAL(helper->count, 0);
	ipc_signal(helper->argument[0]);
	settle();
	CHECK_EQUAL(helper->count, 1);
}

static void step_over(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	struct message registers;

	helper->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(helper, wait_twice);
	settle();
	registers = invoke(helper->tcb, LABEL_TCB_READ_REGISTERS, CAPS(), WORDS(1, 1));
	check_ok(HERE, &registers);
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_WRITE_REGISTERS, CAPS(),
		WORDS(1, 1, registers.words[0] + 2)));
	settle();
	CHECK_EQUAL(helper->count, 1);
}

static void suspended_gets_no_signal(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	helper->argument[0] = notification;
	helper_start(helper, wait_twice);
	settle();
	CHECK_OK(tcb_invoke(helper->tcb, LABEL_TCB_SUSPEND, WORDS()));
	ipc_signal(cap_mint(notification, RIGHTS_ALL, 3));
	settle();
	CHECK_EQUAL(helper->count, 0);
	CHECK_EQUAL(ipc_nb_wait(notification).badge, 3);
}

static void resume_running(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper_start(helper, count_once);
	CHECK_OK(tcb_invoke(helper->tcb, LABEL_TCB_RESUME, WORDS()));
	settle();
	CHECK_EQUAL(helper->count, 1);
	CHECK_OK(tcb_invoke(ROOT_SLOT_TCB, LABEL_TCB_RESUME, WORDS()));
}

static void flags(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	struct message answer = invoke(tcb, LABEL_TCB_SET_FLAGS, CAPS(), WORDS(0, 1));

	check_ok(HERE, &answer);
	CHECK_EQUAL(answer.length, 1);
	CHECK_EQUAL(answer.words[0], 1);
	answer = invoke(tcb, LABEL_TCB_SET_FLAGS, CAPS(), WORDS(0, ~1ul));
	CHECK_EQUAL(answer.words[0], 1);
	answer = invoke(tcb, LABEL_TCB_SET_FLAGS, CAPS(), WORDS(1, 0));
	CHECK_EQUAL(answer.words[0], 0);
	answer = invoke(tcb, LABEL_TCB_SET_FLAGS, CAPS(), WORDS(1, 1));
	CHECK_EQUAL(answer.words[0], 1);
}

static void priority_at_once(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper_start(helper, count_once);
	CHECK_EQUAL(helper->count, 0);
	CHECK_OK(tcb_invoke(helper->tcb, LABEL_TCB_SET_PRIORITY, WORDS(PRIORITY_MAIN + 1)));
	CHECK_EQUAL(helper->count, 1);
}

static void limit_not_own_priority(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);

	CHECK_OK(tcb_invoke(tcb, LABEL_TCB_SET_PRIORITY, WORDS(200)));
	CHECK_OK(tcb_invoke(tcb, LABEL_TCB_SET_MC_PRIORITY, WORDS(10)));
	CHECK_OK(invoke(tcb, LABEL_TCB_SET_PRIORITY, CAPS(tcb), WORDS(10)));
	CHECK_ERROR(invoke(tcb, LABEL_TCB_SET_PRIORITY, CAPS(tcb), WORDS(11)), ERROR_RANGE, 0, 10);
}

static void buffer_moves(void) {
	static char page[4096] __attribute__((aligned(4096)));
	struct ipc_buffer *moved = (struct ipc_buffer *)(page + 1024);
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	helper->argument[0] = endpoint;
	helper_start(helper, wait_twice);
	settle();
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_IPC_BUFFER, CAPS(image_frame(page)),
		WORDS((uint64_t)moved)));
	moved->message[4] = 0;
	ipc_send(endpoint, 0, WORDS(1, 2, 3, 4, 55));
	CHECK_EQUAL(moved->message[4], 55);
}

static void set_sched_params(void) {
	struct helper *helper = helper_make_passive(PRIORITY_HELPER);
	uint64_t sched_context = sched_context_make(
		(struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE});

	helper_start(helper, count_once);
	settle();
	CHECK_EQUAL(helper->count, 0); // no scheduling context
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_SCHED_PARAMS,
		CAPS(ROOT_SLOT_TCB, sched_context, NULL_CAP),
		WORDS(PRIORITY_HELPER, PRIORITY_HELPER)));
	settle();
	CHECK_EQUAL(helper->count, 1);
	// Null unbinds.
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_SCHED_PARAMS,
		CAPS(ROOT_SLOT_TCB, NULL_CAP, NULL_CAP), WORDS(PRIORITY_HELPER, PRIORITY_HELPER)));
	CHECK_OK(invoke(
		sched_context, LABEL_SCHED_CONTEXT_BIND, CAPS(object_new(OBJECT_TCB, 0)), WORDS()));
}

static void configure_later(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t cnode = object_new(OBJECT_CNODE, 4);

	CHECK_OK(invoke(helper->tcb, LABEL_TCB_CONFIGURE, CAPS(cnode, ROOT_SLOT_SPACE, NULL_CAP),
		WORDS(0, 0, 0)));
	CHECK_OK(cap_delete(cnode));
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_CONFIGURE,
		CAPS(ROOT_SLOT_CNODE, ROOT_SLOT_SPACE, helper_buffer_frame(helper)),
		WORDS(0, 0, (uint64_t)helper->buffer)));
	helper_start(helper, count_once);
	settle();
	CHECK_EQUAL(helper->done, 1);
}

static void delete_self(struct helper *helper) {
	helper->count = 1;
	(void)cap_delete(helper->tcb);
	helper->count = 2;
}

static void delete_own(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper_start(helper, delete_self);
	settle();
	CHECK_EQUAL(helper->count, 1);
	CHECK_EQUAL(cap_kind(helper->tcb), KIND_NULL);
}

static void label_unknown(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);

	CHECK_ERROR(invoke(tcb, 0, CAPS(), WORDS()), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, LABEL_CNODE_DELETE, CAPS(), WORDS(1, 64)), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(tcb, 0xfffffffffffff, CAPS(), WORDS()), ERROR_ILLEGAL_OPERATION);
}

static const struct test tests[] = {
	{"tcb-start", "a configured thread runs when nothing of higher priority does",
		start_and_finish, "TCBConfigure/0 TCBWriteRegisters/0"},
	{"tcb-suspend", "a suspended thread stands still and continues when resumed",
		suspend_resume, "TCBSuspend/0 TCBResume/0"},
	{"tcb-suspend-self", "a thread that suspends itself continues after the call", suspend_own,
		NULL},
	{"tcb-resume-blocked", "Resume of a blocked thread executes its system call again",
		resume_restarts, NULL},
	{"tcb-step-over", "suspend, rip + 2 and resume lead a blocked thread past its call",
		step_over, "TCBReadRegisters/0"},
	{"tcb-suspend-waiting", "a suspended waiter has left the notification's queue",
		suspended_gets_no_signal, NULL},
	{"tcb-resume-running", "Resume of a runnable thread has no effect", resume_running, NULL},
	{"tcb-flags", "SetFlags clears, sets and reports the one known flag", flags,
		"TCBSetFlags/0"},
	{"tcb-priority", "a raised priority takes the CPU at once", priority_at_once,
		"TCBSetPriority/0"},
	{"tcb-limit", "the controlled priority limits what a TCB may give", limit_not_own_priority,
		"TCBSetMCPriority/0 TCBSetPriority/3"},
	{"tcb-buffer", "a new IPC buffer counts at once", buffer_moves, "TCBSetIPCBuffer/0"},
	{"tcb-sched-params", "SetSchedParams binds and unbinds a scheduling context",
		set_sched_params, "TCBSetSchedParams/0"},
	{"tcb-configure-again", "Configure drops the roots it replaces", configure_later,
		"TCBSetSpace/0"},
	{"tcb-delete-self", "a thread that deletes itself never returns", delete_own, NULL},
	{"tcb-label", "a TCB knows no other label", label_unknown, NULL},
};

TEST_FILE(tcb);
