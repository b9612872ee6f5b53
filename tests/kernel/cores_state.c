// SPDX-License-Identifier: BSD-2-Clause
// Tests: registers and FPU go with a thread from core to core.
#include "snippets.h"
#include "cores.h"

enum { ROUNDS = 100, HOLD = 2000 };

static volatile uint64_t block[3]; // of code_registers_hold

// Holds until the main thread has moved it often enough.
static void hold_values(struct helper *helper) {
	while (!helper->argument[1]) {
		code_sse_hold(helper->argument[0], (uint64_t *)&helper->result[0], HOLD);
		core_relax();
	}
}

static void fpu_moves(void) {
	struct helper *helpers[4];

	for (unsigned index = 0; index < array_count(helpers); index++) {
		helpers[index] = core_helper(core_other(index), PRIORITY_HELPER);
		helpers[index]->argument[0] = 0x1111222233334444 * (index + 1);
		helper_start(helpers[index], hold_values);
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned index = 0; index < array_count(helpers); index++) {
			CHECK_OK(core_configure(core_other(index + round),
				helpers[index]->sched_context,
				(struct sched_setting){.budget = 200, .period = 200}));
			core_pass(50);
		}
	for (unsigned index = 0; index < array_count(helpers); index++)
		helpers[index]->argument[1] = 1;
	for (unsigned index = 0; index < array_count(helpers); index++) {
		CHECK_MEANWHILE(helpers[index]->done);
		CHECK(helpers[index]->result[1] >= HOLD);
		CHECK_EQUAL(helpers[index]->result[0], 0);
	}
}

static void keep_between(struct helper *helper) {
	uint64_t value = 0x5a5a5a5a;

	asm volatile("movq %0, %%xmm5" : : "r"(value));
	(void)ipc_wait(helper->argument[0]);
	asm volatile("movq %%xmm5, %0" : "=r"(value));
	helper->result[0] = value;
	helper->result[1] = core_hardware_id();
}

// Its state may be in the core where it used the FPU last, while others use that core's.
static void fpu_of_waiting_thread(void) {
	for (unsigned round = 0; round < 4; round++) {
		struct helper *helper = core_helper(core_other(round), PRIORITY_HELPER);
		struct helper *others[2];

		helper->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
		helper_start(helper, keep_between);
		core_pass(1000);
		if (round % 2) {
			others[0] = core_helper(core_other(round), PRIORITY_HELPER);
			others[0]->argument[0] = 3;
			helper_start(others[0], hold_values);
			core_pass(1000);
			others[0]->argument[1] = 1;
			CHECK_MEANWHILE(others[0]->done);
		}
		others[1] = core_helper(core_other(round + 1), PRIORITY_HELPER - 1);
		others[1]->argument[0] = 4;
		helper_start(others[1], hold_values);
		CHECK_OK(core_move(core_other(round + 1), helper->sched_context));
		ipc_signal(helper->argument[0]);
		CHECK_MEANWHILE(helper->done);
		CHECK_EQUAL(helper->result[0], 0x5a5a5a5a);
		CHECK_EQUAL(helper->result[1], core_id(core_other(round + 1)));
		others[1]->argument[1] = 1;
		CHECK_MEANWHILE(others[1]->done);
		CHECK_EQUAL(others[1]->result[0], 0);
		helpers_stop();
		helpers_forget();
	}
}

static void serve_with_fpu(struct helper *helper) {
	uint64_t value = 0x77;

	asm volatile("movq %0, %%xmm3" : : "r"(value));
	(void)ipc_recv(helper->argument[0], helper->argument[1]);
	for (;;) {
		asm volatile("movq %%xmm3, %0" : "=r"(value));
		if (value != 0x77 + helper->count) helper->result[1]++;
		value = 0x77 + ++helper->count;
		asm volatile("movq %0, %%xmm3" : : "r"(value));
		(void)ipc_reply_recv(helper->argument[0], helper->argument[1], WORDS());
	}
}

static void call_with_fpu(struct helper *helper) {
	uint64_t value;

	asm volatile("movq %0, %%xmm3" : : "r"(helper->argument[1]));
	for (unsigned round = 0; round < ROUNDS; round++)
		(void)ipc_call(helper->argument[0], 0, WORDS(round));
	asm volatile("movq %%xmm3, %0" : "=r"(value));
	helper->result[0] = value;
}

// A passive server goes from core to core with its callers' time, and its FPU state with it.
static void fpu_of_passive_server(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *server = helper_make(PRIORITY_HELPER + 10), *clients[6];

	server->argument[0] = endpoint;
	server->argument[1] = object_new(OBJECT_REPLY, 0);
	helper_start(server, serve_with_fpu);
	settle();
	CHECK_OK(invoke(server->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	for (unsigned index = 0; index < array_count(clients); index++) {
		clients[index] = core_helper(core_other(index), PRIORITY_HELPER);
		clients[index]->argument[0] = endpoint;
		clients[index]->argument[1] = 0x1234567800 + index;
		helper_start(clients[index], call_with_fpu);
	}
	for (unsigned index = 0; index < array_count(clients); index++) {
		CHECK_MEANWHILE(clients[index]->done);
		CHECK_EQUAL(clients[index]->result[0], 0x1234567800 + index);
	}
	CHECK_EQUAL(server->count, ROUNDS * array_count(clients));
	CHECK_EQUAL(server->result[1], 0);
}

static void owner_deleted(void) {
	for (unsigned round = 0; round < 4; round++) {
		struct helper *helper = core_start(core_other(0), PRIORITY_HELPER, hold_values);

		CHECK_MEANWHILE(helper->result[1] > 0);
		CHECK_OK(cap_delete(helper->tcb));
		helper = core_helper(core_other(0), PRIORITY_HELPER);
		helper->argument[0] = 4;
		helper->argument[1] = 0;
		helper_start(helper, hold_values);
		CHECK_MEANWHILE(helper->result[1] > 0);
		helper->argument[1] = 1;
		CHECK_MEANWHILE(helper->done);
		CHECK_EQUAL(helper->result[0], 0);
	}
}

static void registers_move(void) {
	struct helper *helper = core_helper(core_other(0), PRIORITY_HELPER);

	block[0] = 0x0123456789abcdef;
	block[1] = block[2] = 0;
	helper_start_at(helper, code_registers_hold, (uint64_t)block);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t before = block[2];

		CHECK_OK(core_move(core_other(round), helper->sched_context));
		CHECK_MEANWHILE(block[2] > before);
	}
	CHECK_EQUAL(block[1], 0);
}

static const struct test tests[] = {
	{"cores-fpu", "threads that move keep their SSE and x87 registers", fpu_moves, NULL},
	{"cores-fpu-waits", "a thread that moved while it waited finds its SSE registers",
		fpu_of_waiting_thread, NULL},
	{"cores-fpu-passive", "a passive server takes its SSE registers to its callers' cores",
		fpu_of_passive_server, NULL},
	{"cores-fpu-deleted", "the owner of another core's FPU is deleted", owner_deleted, NULL},
	{"cores-registers-move", "a thread that moves keeps its general registers", registers_move,
		NULL},
};

TEST_FILE(cores_state);
