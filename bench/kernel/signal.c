// SPDX-License-Identifier: BSD-2-Clause
// What does a signal to a waiting thread cost, when that thread runs at once and when it does not?
#include "bench.h"

enum argument { FORTH, BACK };

static void higher_run(struct helper *helper) {
	for (;;) {
		struct sel4_registers registers = {.rdi = helper->argument[FORTH]};
		uint64_t end;

		sel4_syscall(SYSCALL_WAIT, &registers);
		end = ticks();
		sample_add(end - begun_at);
	}
}

static void signal_run(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.rdi = helper->argument[FORTH]};

		begun_at = ticks();
		sel4_syscall(SYSCALL_SEND, &registers);
	}
}

static void higher_measure(const struct row *row) {
	struct helper *waiter = helper_make(PRIORITY_HELPER + 1);
	struct helper *sender = helper_make(PRIORITY_HELPER);

	waiter->argument[FORTH] = sender->argument[FORTH] = object_new(OBJECT_NOTIFICATION, 0);
	if (row->setting != 0) helper_move(waiter);
	helper_start(waiter, higher_run);
	settle();
	helper_start(sender, signal_run);
	settle();
}

static void lower_run(struct helper *helper) {
	for (;;) {
		struct sel4_registers registers = {.rdi = helper->argument[FORTH]};

		sel4_syscall(SYSCALL_WAIT, &registers);
		seL4_Signal(helper->argument[BACK]);
	}
}

static void signal_and_wait_run(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.rdi = helper->argument[FORTH]};
		uint64_t end;

		begun_at = ticks();
		sel4_syscall(SYSCALL_SEND, &registers);
		end = ticks();
		sample_add(end - begun_at);
		registers = (struct sel4_registers){.rdi = helper->argument[BACK]};
		sel4_syscall(SYSCALL_WAIT, &registers);
	}
}

static void lower_measure(const struct row *row) {
	struct helper *waiter = helper_make(PRIORITY_HELPER);
	struct helper *sender = helper_make(PRIORITY_HELPER + 1);

	(void)row;
	waiter->argument[FORTH] = sender->argument[FORTH] = object_new(OBJECT_NOTIFICATION, 0);
	waiter->argument[BACK] = sender->argument[BACK] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(waiter, lower_run);
	settle();
	helper_start(sender, signal_and_wait_run);
	settle();
}

static const struct row rows[] = {
	{"signal-to-higher-one-space", "ticks", higher_measure, 0},
	{"signal-to-higher-two-spaces", "ticks", higher_measure, 1},
	{"signal-to-lower", "ticks", lower_measure, 0},
};

ROW_FILE(signal);
