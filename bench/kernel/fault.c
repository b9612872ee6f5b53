// SPDX-License-Identifier: BSD-2-Clause
// What does a fault cost, to its handler and back? The handler runs on the time of the faulter and
// lets it continue after the instruction.
#include "bench.h"

enum { UNDEFINED_LENGTH = 2 };

enum argument { RECORDS, ENDPOINT, REPLY_CAP };

static void faulter_run(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t end;

		begun_at = ticks_begin();
		asm volatile("ud2" ::: "memory");
		end = ticks_end();
		if (helper->argument[RECORDS]) sample_add(end - begun_at);
	}
}

static void handler_run(struct helper *helper) {
	uint64_t endpoint = helper->argument[ENDPOINT];
	uint64_t reply = helper->argument[REPLY_CAP];
	struct sel4_registers registers = {.rdi = endpoint, .r12 = reply};

	sel4_syscall(SYSCALL_RECV, &registers);
	for (;;) {
		uint64_t end = ticks_end();

		if (helper->argument[RECORDS]) sample_add(end - begun_at);
		registers = (struct sel4_registers){.rdi = endpoint,
			.rsi = tag_make(0, 0, 0, 1),
			.words = {registers.words[0] + UNDEFINED_LENGTH},
			.r12 = reply};
		begun_at = ticks_begin();
		sel4_syscall(SYSCALL_REPLY_RECV, &registers);
	}
}

static void fault_measure(const struct row *row) {
	struct helper *handler = helper_make(PRIORITY_HELPER);
	struct helper *faulter = helper_make(PRIORITY_HELPER);

	handler->argument[ENDPOINT] = object_new(OBJECT_ENDPOINT, 0);
	handler->argument[REPLY_CAP] = object_new(OBJECT_REPLY, 0);
	handler->argument[RECORDS] = row->setting == 0;
	faulter->argument[RECORDS] = row->setting != 0;
	helper_fault_handler_set(faulter, handler->argument[ENDPOINT]);
	helper_start(handler, handler_run);
	helper_become_passive(handler);
	helper_start(faulter, faulter_run);
	settle();
}

static const struct row rows[] = {
	{"fault", fault_measure, 0},
	{"fault-reply", fault_measure, 1},
};

ROW_FILE(fault);
