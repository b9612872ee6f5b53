// SPDX-License-Identifier: BSD-2-Clause
// What does it cost to reach another core: a thread that waits there, a server, its translations?
#include "cores.h"

enum argument { OBJECT, REPLY_CAP };

enum { SENDER_CORE = 1, RECEIVER_CORE = 2, CORES_WANTED = 4 };

static volatile uint64_t touched; // by the helpers of unmap_measure
static volatile uint64_t round_wanted;

// Its core is idle by the time of the next signal.
static void signal_run(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS_FEW; round++) {
		struct sel4_registers registers = {.rdi = helper->argument[OBJECT]};

		core_pass();
		begun_at = ticks_begin();
		sel4_syscall(SYSCALL_SEND, &registers);
	}
	core_pass();
}

static void wait_run(struct helper *helper) {
	for (;;) {
		struct sel4_registers registers = {.rdi = helper->argument[OBJECT]};
		uint64_t end;

		sel4_syscall(SYSCALL_WAIT, &registers);
		end = ticks_end();
		sample_add(end - begun_at);
	}
}

static void signal_measure(const struct row *) {
	struct helper *sender, *receiver;

	if (!cores_are(CORES_WANTED)) return;
	sender = core_helper(SENDER_CORE, PRIORITY_HELPER);
	receiver = core_helper(RECEIVER_CORE, PRIORITY_HELPER);
	sender->argument[OBJECT] = receiver->argument[OBJECT] = object_new(OBJECT_NOTIFICATION, 0);
	helper_move(receiver);
	helper_start(receiver, wait_run);
	core_pass();
	helper_start(sender, signal_run);
	core_wait(sender);
}

static void call_run(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS_FEW; round++) {
		struct sel4_registers registers = {.rdi = helper->argument[OBJECT]};
		uint64_t end;

		core_pass();
		begun_at = ticks_begin();
		sel4_syscall(SYSCALL_CALL, &registers);
		end = ticks_end();
		sample_add(end - begun_at);
	}
}

static void serve_run(struct helper *helper) {
	struct sel4_registers registers = {
		.rdi = helper->argument[OBJECT], .r12 = helper->argument[REPLY_CAP]};

	sel4_syscall(SYSCALL_RECV, &registers);
	for (;;) {
		registers = (struct sel4_registers){
			.rdi = helper->argument[OBJECT], .r12 = helper->argument[REPLY_CAP]};
		sel4_syscall(SYSCALL_REPLY_RECV, &registers);
	}
}

// The server has time of its own, on its core.
static void call_measure(const struct row *) {
	struct helper *client, *server;

	if (!cores_are(CORES_WANTED)) return;
	client = core_helper(SENDER_CORE, PRIORITY_HELPER);
	server = core_helper(RECEIVER_CORE, PRIORITY_HELPER);
	client->argument[OBJECT] = server->argument[OBJECT] = object_new(OBJECT_ENDPOINT, 0);
	server->argument[REPLY_CAP] = object_new(OBJECT_REPLY, 0);
	helper_move(server);
	helper_start(server, serve_run);
	core_pass();
	helper_start(client, call_run);
	core_wait(client);
}

// Touches the page once for each round, when it is there.
static void touch_run(struct helper *helper) {
	for (uint64_t round = 1;; round++) {
		while (round_wanted != round)
			core_relax();
		(void)*(volatile uint64_t *)TEST_ADDRESS;
		__atomic_add_fetch(&touched, 1, __ATOMIC_SEQ_CST);
		helper->count++;
	}
}

static void unmap_measure(const struct row *) {
	uint64_t frame = object_new(OBJECT_PAGE, 0);

	if (!cores_are(CORES_WANTED)) return;
	touched = round_wanted = 0;
	tables_make(ROOT_SLOT_SPACE, TEST_ADDRESS);
	for (uint64_t core = 1; core < CORES_WANTED; core++)
		helper_start(core_helper(core, PRIORITY_HELPER), touch_run);
	for (uint64_t round = 1; round <= ROUNDS_FEW; round++) {
		uint64_t end, begin;

		CHECK_OK(frame_map(frame, ROOT_SLOT_SPACE, TEST_ADDRESS, RIGHT_READ));
		(void)*(volatile uint64_t *)TEST_ADDRESS;
		round_wanted = round;
		while (touched != round * (CORES_WANTED - 1))
			core_relax();
		begin = ticks_begin();
		(void)seL4_X86_Page_Unmap(frame);
		end = ticks_end();
		sample_add(end - begin);
	}
}

static const struct row rows[] = {
	{"cores-signal", signal_measure, 0},
	{"cores-call", call_measure, 0},
	{"cores-unmap", unmap_measure, 0},
};

ROW_FILE(cores_remote);
