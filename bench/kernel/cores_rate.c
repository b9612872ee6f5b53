// SPDX-License-Identifier: BSD-2-Clause
// How many calls do several cores make in the same time, each to a passive server of its own? A
// sample is the number of all of them, not a time.
#include "cores.h"

enum argument { OBJECT, REPLY_CAP };

enum { MOST = 8, SAMPLES_WANTED = 5, START = 400000, WINDOW = 2000000 }; // ticks

static volatile uint64_t starts_at, ends_at; // of the window

static void call_run(struct helper *helper) {
	helper->count = 0;
	while (tsc_read() < starts_at)
		core_relax();
	while (tsc_read() < ends_at) {
		struct sel4_registers registers = {.rdi = helper->argument[OBJECT]};

		sel4_syscall(SYSCALL_CALL, &registers);
		helper->count++;
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

// A client on each core, and its server, which waits already.
static void pair_make(uint64_t core, struct helper **client) {
	struct helper *server = core_helper(core, PRIORITY_HELPER + 1);

	*client = core_helper(core, PRIORITY_HELPER);
	server->argument[OBJECT] = (*client)->argument[OBJECT] = object_new(OBJECT_ENDPOINT, 0);
	server->argument[REPLY_CAP] = object_new(OBJECT_REPLY, 0);
	helper_move(server);
	helper_start(server, serve_run);
	settle();
	core_pass();
	CHECK_OK(invoke(server->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
}

// This thread is on the first core too, and lets that core's client come to its end.
static uint64_t calls_of(struct helper *const *clients, uint64_t count) {
	uint64_t calls = 0;

	starts_at = tsc_read() + START;
	ends_at = starts_at + WINDOW;
	for (uint64_t core = 0; core < count; core++)
		helper_start(clients[core], call_run);
	settle();
	for (uint64_t core = 0; core < count; core++) {
		core_wait(clients[core]);
		calls += clients[core]->count;
	}
	return calls;
}

static void rate_measure(const struct row *row) {
	struct helper *clients[MOST];

	if (!cores_are(MOST)) return;
	samples_keep_first();
	for (uint64_t core = 0; core < row->setting; core++)
		pair_make(core, &clients[core]);
	for (unsigned sample = 0; sample < SAMPLES_WANTED; sample++)
		sample_add(calls_of(clients, row->setting));
}

static const struct row rows[] = {
	{"cores-rate-1", rate_measure, 1},
	{"cores-rate-2", rate_measure, 2},
	{"cores-rate-4", rate_measure, 4},
	{"cores-rate-8", rate_measure, 8},
};

ROW_FILE(cores_rate);
