// SPDX-License-Identifier: BSD-2-Clause
// Tests: budgets, replenishment and timeout faults, by ratios of work done (SCHED-9 to SCHED-15,
// SCHED-17).
#include "snippets.h"
#include "world.h"

enum { SPORADIC = 1, BADGE = 0x7e };

static void spin(struct helper *helper) {
	for (;;)
		helper->count++;
}

// Share in per mille of a limited thread above an unlimited one. Periods are long because an
// emulator's timer may be late by milliseconds, and a refill starts when its thread does
// (SCHED-13).
static uint64_t share_measure(struct sched_setting setting, void (*run)(struct helper *)) {
	struct helper *limited = helper_make_with(PRIORITY_HELPER + 1, setting);
	struct helper *rest = helper_make(PRIORITY_HELPER);
	uint64_t share;

	helper_start(limited, run);
	helper_start(rest, spin);
	sleep_microseconds(1000000);
	helpers_stop();
	CHECK(rest->count != 0);
	share = limited->count * 1000 / (limited->count + rest->count);
	return share;
}

static void tenth(void) {
	CHECK_BETWEEN(
		share_measure((struct sched_setting){.budget = 10000, .period = 100000}, spin), 50,
		160);
}

static void tenth_sporadic(void) {
	CHECK_BETWEEN(
		share_measure(
			(struct sched_setting){
				.budget = 10000, .period = 100000, .refills = 6, .flags = SPORADIC},
			spin),
		50, 160);
}

// Each preemption splits a refill (SCHED-13); with room for the parts nothing is lost.
static void half(void) {
	CHECK_BETWEEN(
		share_measure(
			(struct sched_setting){.budget = 50000, .period = 100000, .refills = 8},
			spin),
		400, 620);
}

static void spin_and_yield(struct helper *helper) {
	for (;;) {
		for (unsigned round = 0; round < 1000; round++)
			helper->count++;
		thread_yield();
	}
}

static void yield_gives_up(void) {
	// Much less than half: the rest of each refill is given up.
	CHECK_BETWEEN(share_measure((struct sched_setting){.budget = 5000, .period = 10000},
			      spin_and_yield),
		0, 100);
}

static void windows(void) {
	struct helper *helper = helper_make_with(
		PRIORITY_HELPER, (struct sched_setting){.budget = 20000, .period = 200000});
	uint64_t used;

	helper_start(helper, spin);
	sleep_microseconds(1000000);
	used = invoke(helper->sched_context, LABEL_SCHED_CONTEXT_CONSUMED, CAPS(), WORDS())
		       .words[0];
	// Five or six periods of 20 ms.
	CHECK_BETWEEN(used, 60000, 160000);
}

struct timeout {
	struct helper *helper;
	uint64_t endpoint;
	uint64_t reply;
};

static struct timeout timeout_start(struct sched_setting setting) {
	struct timeout made = {
		.helper = helper_make_with(PRIORITY_HELPER, setting),
		.endpoint = object_new(OBJECT_ENDPOINT, 0),
		.reply = object_new(OBJECT_REPLY, 0),
	};

	helper_timeout_handler_set(made.helper, made.endpoint);
	helper_start(made.helper, spin);
	return made;
}

static void timeout_fault(void) {
	struct timeout made = timeout_start(
		(struct sched_setting){.budget = 2000, .period = 100000, .badge = BADGE});
	struct message fault = ipc_recv(made.endpoint, made.reply);
	uint64_t count = made.helper->count;

	CHECK_EQUAL(fault.label, FAULT_TIMEOUT);
	CHECK_EQUAL(fault.length, FAULT_TIMEOUT_LENGTH);
	CHECK_EQUAL(fault.words[0], BADGE);
	CHECK_BETWEEN(fault.words[1], 1500, 20000);
	CHECK(count != 0);
	sleep_microseconds(120000);
	CHECK_EQUAL(made.helper->count, count);
	// Reported already.
	CHECK_EQUAL(
		invoke(made.helper->sched_context, LABEL_SCHED_CONTEXT_CONSUMED, CAPS(), WORDS())
			.words[0],
		0);
}

static void timeout_reply(void) {
	struct timeout made = timeout_start(
		(struct sched_setting){.budget = 2000, .period = 10000});

	for (unsigned round = 0; round < 4; round++) {
		uint64_t count;

		CHECK_EQUAL(ipc_recv(made.endpoint, made.reply).label, FAULT_TIMEOUT);
		count = made.helper->count;
		ipc_send(made.reply, 0, WORDS());
		CHECK_EQUAL(made.helper->count, count); // waits for its next refill
	}
}

static void timeout_registers(void) {
	static volatile uint64_t counter;
	struct timeout made = timeout_start(
		(struct sched_setting){.budget = 2000, .period = 10000});
	uint64_t stack = helper_stack_top(made.helper) - 8;
	uint64_t count;

	counter = 0;
	CHECK_EQUAL(ipc_recv(made.endpoint, made.reply).label, FAULT_TIMEOUT);
	count = made.helper->count;
	ipc_send(made.reply, 0,
		WORDS((uint64_t)code_spin, stack, 0x202, 0, 0, 0, 0, 0, (uint64_t)&counter));
	CHECK_EQUAL(ipc_recv(made.endpoint, made.reply).label, FAULT_TIMEOUT);
	CHECK_EQUAL(made.helper->count, count);
	CHECK(counter != 0);
}

static void timeout_more_budget(void) {
	struct timeout made = timeout_start(
		(struct sched_setting){.budget = 1000, .period = 1000000});
	uint64_t count;

	CHECK_EQUAL(ipc_recv(made.endpoint, made.reply).label, FAULT_TIMEOUT);
	count = made.helper->count;
	CHECK_OK(sched_configure(made.helper->sched_context,
		(struct sched_setting){.budget = 50000, .period = 1000000}));
	ipc_send(made.reply, 0, WORDS());
	CHECK_SOON(made.helper->count > count);
}

static void round_robin_no_timeout(void) {
	struct timeout made = timeout_start((struct sched_setting){.budget = 1000, .period = 1000});

	sleep_microseconds(20000);
	CHECK_EQUAL(ipc_nb_recv(made.endpoint, made.reply).badge, 0);
	CHECK_OK(invoke(made.helper->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
	CHECK(made.helper->count != 0);
}

static void yield_loop(struct helper *helper) {
	for (;;) {
		helper->count++;
		thread_yield();
	}
}

static void yield_no_timeout(void) {
	struct helper *helper = helper_make_with(
		PRIORITY_HELPER, (struct sched_setting){.budget = 1000, .period = 5000});
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct call_registers registers = {.rdi = endpoint, .r12 = object_new(OBJECT_REPLY, 0)};

	helper_timeout_handler_set(helper, endpoint);
	helper_start(helper, yield_loop);
	sleep_microseconds(50000);
	system_call(SYSCALL_NB_RECV, &registers);
	CHECK_EQUAL(registers.rsi, 0);
	// Once a period, no more.
	CHECK_BETWEEN(helper->count, 5, 14);
}

static void serve_spin(struct helper *helper) {
	(void)ipc_nb_send_recv(
		helper->argument[2], helper->argument[0], helper->argument[1], WORDS());
	spin(helper);
}

static void call_once(struct helper *helper) {
	helper->message = ipc_call(helper->argument[0], 1, WORDS());
}

static void servers_handler(void) {
	struct helper *server = helper_make(PRIORITY_HELPER + 1);
	struct helper *client = helper_make_with(PRIORITY_HELPER,
		(struct sched_setting){.budget = 2000, .period = 100000, .badge = BADGE});
	uint64_t server_faults = object_new(OBJECT_ENDPOINT, 0);
	uint64_t client_faults = object_new(OBJECT_ENDPOINT, 0);
	struct message fault;

	server->argument[0] = object_new(OBJECT_ENDPOINT, 0);
	server->argument[1] = object_new(OBJECT_REPLY, 0);
	server->argument[2] = object_new(OBJECT_NOTIFICATION, 0);
	client->argument[0] = server->argument[0];
	helper_timeout_handler_set(server, server_faults);
	helper_timeout_handler_set(client, client_faults);
	helper_start(server, serve_spin);
	(void)ipc_wait(server->argument[2]);
	settle();
	CHECK_OK(invoke(server->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	helper_start(client, call_once);
	fault = ipc_recv(server_faults, object_new(OBJECT_REPLY, 0));
	CHECK_EQUAL(fault.label, FAULT_TIMEOUT);
	CHECK_EQUAL(fault.words[0], BADGE);
	CHECK_EQUAL(ipc_nb_wait(client_faults).badge, 0);
}

static void reconfigured(void) {
	struct helper *helper = helper_make_with(
		PRIORITY_HELPER, (struct sched_setting){.budget = 1000, .period = 1000000});
	uint64_t count;

	helper_start(helper, spin);
	sleep_microseconds(10000);
	count = helper->count;
	sleep_microseconds(10000);
	CHECK_EQUAL(helper->count, count);
	CHECK_OK(sched_configure(helper->sched_context,
		(struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE}));
	CHECK_SOON(helper->count > count);
}

static void sleeper_shares(void) {
	struct helper *helpers[4];

	// Budgets that add up to less than all: every thread gets time.
	for (unsigned index = 0; index < 4; index++) {
		helpers[index] = helper_make_with(PRIORITY_HELPER + index,
			(struct sched_setting){.budget = 1000, .period = 5000 + index * 1000});
		helper_start(helpers[index], spin);
	}
	sleep_microseconds(100000);
	helpers_stop();
	for (unsigned index = 0; index < 4; index++)
		CHECK(helpers[index]->count != 0);
}

static const struct test tests[] = {
	{"budget-tenth", "a tenth of the period is a tenth of the work", tenth, NULL},
	{"budget-sporadic", "the same with the sporadic flag and more refills", tenth_sporadic,
		NULL},
	{"budget-half", "half of the period is half of the work", half, NULL},
	{"budget-yield", "Yield gives up the rest of a refill", yield_gives_up, NULL},
	{"budget-window", "no more than one budget a period is consumed", windows, NULL},
	{"budget-timeout", "an exhausted budget raises a timeout fault with badge and consumption",
		timeout_fault, NULL},
	{"budget-timeout-reply", "after the reply the thread runs with its next refill",
		timeout_reply, NULL},
	{"budget-timeout-registers", "the reply to a timeout writes registers in its own order",
		timeout_registers, NULL},
	{"budget-timeout-more", "a handler may give more budget before it replies",
		timeout_more_budget, NULL},
	{"budget-round-robin", "round robin raises no timeout fault", round_robin_no_timeout, NULL},
	{"budget-yield-timeout", "Yield raises no timeout fault and waits for the period",
		yield_no_timeout, NULL},
	{"budget-server", "on a donated context the server's timeout handler is sent the fault",
		servers_handler, NULL},
	{"budget-reconfigure", "a thread out of budget continues when made round robin",
		reconfigured, NULL},
	{"budget-several", "threads with budgets below the whole all run", sleeper_shares, NULL},
};

TEST_FILE_TIMED(budget);
