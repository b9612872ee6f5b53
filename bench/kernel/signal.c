// SPDX-License-Identifier: BSD-2-Clause
// What does a signal to a waiting thread cost, when that thread runs at once and when it does not?
// What does it cost to wait?
#include "bench.h"

enum argument { FORTH, BACK };

static void higher_run(struct helper *helper) {
	for (;;) {
		struct sel4_registers registers = {.rdi = helper->argument[FORTH]};
		uint64_t end;

		sel4_syscall(SYSCALL_WAIT, &registers);
		end = ticks_end();
		sample_add(end - begun_at);
	}
}

static void signal_run(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.rdi = helper->argument[FORTH]};

		begun_at = ticks_begin();
		sel4_syscall(SYSCALL_SEND, &registers);
	}
}

static void lower_run(struct helper *helper) {
	for (;;) {
		struct sel4_registers registers = {.rdi = helper->argument[FORTH]};

		sel4_syscall(SYSCALL_WAIT, &registers);
	}
}

// Runs when the lower thread waits again, and lets the sender continue.
static void lowest_run(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS; round++)
		seL4_Signal(helper->argument[BACK]);
}

static void signal_and_wait_run(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.rdi = helper->argument[FORTH]};
		uint64_t end;

		begun_at = ticks_begin();
		sel4_syscall(SYSCALL_SEND, &registers);
		end = ticks_end();
		sample_add(end - begun_at);
		registers = (struct sel4_registers){.rdi = helper->argument[BACK]};
		sel4_syscall(SYSCALL_WAIT, &registers);
	}
}

static void lower_measure(const struct row *) {
	struct helper *lowest = helper_make(PRIORITY_HELPER - 1);
	struct helper *waiter = helper_make(PRIORITY_HELPER);
	struct helper *sender = helper_make(PRIORITY_HELPER + 1);

	waiter->argument[FORTH] = sender->argument[FORTH] = object_new(OBJECT_NOTIFICATION, 0);
	lowest->argument[BACK] = sender->argument[BACK] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(waiter, lower_run);
	settle();
	helper_start(sender, signal_and_wait_run);
	helper_start(lowest, lowest_run);
	settle();
}

enum wait { WAIT_PENDING, POLL_PENDING, POLL_EMPTY };

static void wait_measure(const struct row *row) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	seL4_Int64 number = row->setting == WAIT_PENDING ? SYSCALL_WAIT : SYSCALL_NB_WAIT;

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.rdi = notification};
		uint64_t end;

		if (row->setting != POLL_EMPTY) seL4_Signal(notification);
		begun_at = ticks_begin();
		sel4_syscall(number, &registers);
		end = ticks_end();
		sample_add(end - begun_at);
	}
}

// The higher thread blocks, and the lower one returns from the signal that had woken it.
static void blocker_run(struct helper *helper) {
	for (;;) {
		struct sel4_registers registers = {.rdi = helper->argument[FORTH]};

		begun_at = ticks_begin();
		sel4_syscall(SYSCALL_WAIT, &registers);
	}
}

static void waker_run(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.rdi = helper->argument[FORTH]};
		uint64_t end;

		sel4_syscall(SYSCALL_SEND, &registers);
		end = ticks_end();
		sample_add(end - begun_at);
	}
}

// The lower thread's signal wakes the higher one, which waits again.
static void wait_wake_run(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {.rdi = helper->argument[FORTH]};
		uint64_t end;

		begun_at = ticks_begin();
		sel4_syscall(SYSCALL_SEND, &registers);
		end = ticks_end();
		sample_add(end - begun_at);
	}
}

enum pair { ONE_SPACE, TWO_SPACES, BLOCKS, WAKES };

// A higher thread that waits, and a lower one that signals.
static void pair_measure(const struct row *row) {
	static void (*const runs[][2])(struct helper *) = {
		[ONE_SPACE] = {higher_run, signal_run},
		[TWO_SPACES] = {higher_run, signal_run},
		[BLOCKS] = {blocker_run, waker_run},
		[WAKES] = {lower_run, wait_wake_run},
	};
	struct helper *waiter = helper_make(PRIORITY_HELPER + 1);
	struct helper *sender = helper_make(PRIORITY_HELPER);

	waiter->argument[FORTH] = sender->argument[FORTH] = object_new(OBJECT_NOTIFICATION, 0);
	if (row->setting == TWO_SPACES) helper_move(waiter);
	helper_start(waiter, runs[row->setting][0]);
	settle();
	helper_start(sender, runs[row->setting][1]);
	settle();
}

static const struct row rows[] = {
	{"signal-to-higher-one-space", pair_measure, ONE_SPACE},
	{"signal-to-higher-two-spaces", pair_measure, TWO_SPACES},
	{"signal-to-lower", lower_measure, 0},
	{"wait-pending", wait_measure, WAIT_PENDING},
	{"wait-block", pair_measure, BLOCKS},
	{"wait-wake", pair_measure, WAKES},
	{"poll-pending", wait_measure, POLL_PENDING},
	{"poll-empty", wait_measure, POLL_EMPTY},
};

ROW_FILE(signal);
