// SPDX-License-Identifier: BSD-2-Clause
// Tests: FPU and SSE state belongs to each thread; the flag that takes the FPU away.
#include "snippets.h"
#include "world.h"

enum { ROUNDS = 2000000 };

static void hold_value(struct helper *helper) {
	code_sse_hold(helper->argument[0], (uint64_t *)&helper->result[0], helper->argument[1]);
}

static void two_threads(void) {
	struct helper *helpers[3];

	for (unsigned index = 0; index < 3; index++) {
		helpers[index] = helper_make_with(
			PRIORITY_HELPER, (struct sched_setting){.budget = 200, .period = 200});
		helpers[index]->argument[0] = 0x1111222233334444 * (index + 1);
		helpers[index]->argument[1] = ROUNDS;
		helper_start(helpers[index], hold_value);
	}
	settle();
	for (unsigned index = 0; index < 3; index++) {
		CHECK_EQUAL(helpers[index]->done, 1);
		CHECK_EQUAL(helpers[index]->result[1], ROUNDS);
		CHECK_EQUAL(helpers[index]->result[0], 0);
	}
}

static void read_state(struct helper *helper) {
	uint64_t first;
	uint64_t last;
	uint32_t mxcsr;
	uint16_t control;

	asm volatile("movq %%xmm0, %0\n\tmovq %%xmm15, %1" : "=r"(first), "=r"(last));
	asm volatile("stmxcsr %0" : "=m"(mxcsr));
	asm volatile("fnstcw %0" : "=m"(control));
	helper->result[0] = first;
	helper->result[1] = last;
	helper->result[2] = mxcsr;
	helper->result[3] = control;
}

static void fresh_state(void) {
	struct helper *dirty = helper_make(PRIORITY_HELPER);
	struct helper *fresh = helper_make(PRIORITY_HELPER);

	dirty->argument[0] = ~0ul;
	dirty->argument[1] = 10;
	helper_start(dirty, hold_value);
	settle();
	helper_start(fresh, read_state);
	settle();
	CHECK_EQUAL(fresh->result[0], 0);
	CHECK_EQUAL(fresh->result[1], 0);
	CHECK_EQUAL(fresh->result[2], 0x1f80);
	CHECK_EQUAL(fresh->result[3], 0x37f);
}

static void through_calls(struct helper *helper) {
	asm volatile("movq %0, %%xmm3" : : "r"(helper->argument[0]));
	for (unsigned round = 0; round < 100; round++)
		(void)ipc_call(helper->argument[1], 0, WORDS(round));
	asm volatile("movq %%xmm3, %0" : "=r"(helper->argument[2]));
}

static void serve_dirty(struct helper *helper) {
	(void)ipc_recv(helper->argument[1], helper->argument[2]);
	for (;;) {
		asm volatile("movq %0, %%xmm3" : : "r"(~0ul));
		(void)ipc_reply_recv(helper->argument[1], helper->argument[2], WORDS());
	}
}

static void calls_keep_state(void) {
	struct helper *server = helper_make(PRIORITY_HELPER);
	struct helper *client = helper_make(PRIORITY_HELPER);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);

	client->argument[0] = 0x1234567887654321;
	client->argument[1] = endpoint;
	server->argument[1] = endpoint;
	server->argument[2] = object_new(OBJECT_REPLY, 0);
	helper_start(server, serve_dirty);
	helper_start(client, through_calls);
	settle();
	CHECK_EQUAL(client->done, 1);
	CHECK_EQUAL(client->argument[2], 0x1234567887654321);
}

static void flag_disables(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	struct message fault;

	helper_fault_handler_set(helper, endpoint);
	(void)invoke(helper->tcb, LABEL_TCB_SET_FLAGS, CAPS(), WORDS(0, 1));
	helper_start_at(helper, code_fpu, 5);
	fault = ipc_recv(endpoint, reply);
	CHECK_EQUAL(fault.label, FAULT_USER_EXCEPTION);
	CHECK_EQUAL(fault.words[3], 7);
	CHECK_EQUAL(fault.words[0], (uint64_t)code_fpu);
	(void)invoke(helper->tcb, LABEL_TCB_SET_FLAGS, CAPS(), WORDS(1, 0));
	ipc_send(reply, 0, WORDS());
	fault = ipc_recv(endpoint, reply);
	CHECK_EQUAL(fault.words[3], 6);
	CHECK_EQUAL(fault.words[0], (uint64_t)code_fpu_after);
}

static void wait_between(struct helper *helper) {
	uint64_t value = 0x5a5a5a5a;

	asm volatile("movq %0, %%xmm5" : : "r"(value));
	(void)ipc_wait(helper->argument[0]);
	asm volatile("movq %%xmm5, %0" : "=r"(value));
	helper->result[0] = value;
}

static void flag_keeps_state(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(helper, wait_between);
	settle();
	(void)invoke(helper->tcb, LABEL_TCB_SET_FLAGS, CAPS(), WORDS(0, 1));
	(void)invoke(helper->tcb, LABEL_TCB_SET_FLAGS, CAPS(), WORDS(1, 0));
	ipc_signal(helper->argument[0]);
	settle();
	CHECK_EQUAL(helper->result[0], 0x5a5a5a5a);
}

static void deleted_owner(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	struct helper *next;

	helper->argument[0] = 3;
	helper->argument[1] = 10;
	helper_start(helper, hold_value);
	settle();
	CHECK_OK(cap_delete(helper->tcb));
	next = helper_make(PRIORITY_HELPER);
	next->argument[0] = 4;
	next->argument[1] = 10;
	helper_start(next, hold_value);
	settle();
	CHECK_EQUAL(next->done, 1);
	CHECK_EQUAL(next->result[0], 0);
}

static const struct test tests[] = {
	{"fpu-threads", "threads that preempt each other keep their SSE and x87 registers",
		two_threads, NULL},
	{"fpu-fresh", "a new thread starts with the reset state", fresh_state, NULL},
	{"fpu-calls", "system calls and switches keep the caller's SSE registers", calls_keep_state,
		NULL},
	{"fpu-flag", "with fpuDisabled an SSE instruction raises exception 7", flag_disables, NULL},
	{"fpu-flag-state", "taking the FPU away and giving it back keeps the state",
		flag_keeps_state, NULL},
	{"fpu-deleted", "deleting the thread that owns the FPU leaves it usable", deleted_owner,
		NULL},
};

TEST_FILE(fpu);
