// SPDX-License-Identifier: BSD-2-Clause
// Tests: which thread runs: priorities, order in a level, time slices, Yield (SCHED-8,
// SCHED-20 to SCHED-24).
#include "world.h"

static volatile uint64_t order[16]; // in the order threads noted themselves
static volatile unsigned order_count;

static void note(struct helper *helper) { order[order_count++] = helper->argument[0]; }

static void note_twice(struct helper *helper) {
	order[order_count++] = helper->argument[0];
	thread_yield();
	order[order_count++] = helper->argument[0];
}

static struct helper *noter(uint64_t priority, uint64_t number, void (*run)(struct helper *)) {
	struct helper *helper = helper_make(priority);

	helper->argument[0] = number;
	helper_start(helper, run);
	return helper;
}

static void by_priority(void) {
	order_count = 0;
	(void)noter(20, 1, note);
	(void)noter(200, 2, note);
	(void)noter(64, 3, note);
	(void)noter(63, 4, note);
	(void)noter(128, 5, note);
	settle();
	CHECK_EQUAL(order_count, 5);
	CHECK_EQUAL(order[0], 2);
	CHECK_EQUAL(order[1], 5);
	CHECK_EQUAL(order[2], 3);
	CHECK_EQUAL(order[3], 4);
	CHECK_EQUAL(order[4], 1);
}

static void last_come(void) {
	order_count = 0;
	for (uint64_t number = 0; number < 5; number++)
		(void)noter(PRIORITY_HELPER, number, note);
	settle();
	for (uint64_t number = 0; number < 5; number++)
		CHECK_EQUAL(order[number], 4 - number);
}

static void yield_rotates(void) {
	order_count = 0;
	for (uint64_t number = 0; number < 3; number++)
		(void)noter(PRIORITY_HELPER, number, note_twice);
	settle();
	CHECK_EQUAL(order_count, 6);
	for (uint64_t index = 0; index < 6; index++)
		CHECK_EQUAL(order[index], 2 - index % 3);
}

static void spin(struct helper *helper) {
	for (;;)
		helper->count++;
}

static void equal_shares(void) {
	struct helper *helpers[3];
	uint64_t total = 0;

	for (unsigned index = 0; index < 3; index++) {
		helpers[index] = helper_make_with(
			PRIORITY_HELPER, (struct sched_setting){.budget = 10000, .period = 10000});
		helper_start(helpers[index], spin);
	}
	sleep_microseconds(450000);
	helpers_stop();
	for (unsigned index = 0; index < 3; index++)
		total += helpers[index]->count;
	for (unsigned index = 0; index < 3; index++)
		CHECK_BETWEEN(helpers[index]->count * 100 / total, 20, 47);
}

static void slices_weigh(void) {
	struct helper *small = helper_make_with(
		PRIORITY_HELPER, (struct sched_setting){.budget = 10000, .period = 10000});
	struct helper *large = helper_make_with(
		PRIORITY_HELPER, (struct sched_setting){.budget = 40000, .period = 40000});

	helper_start(small, spin);
	helper_start(large, spin);
	sleep_microseconds(600000);
	helpers_stop();
	// One part of five.
	CHECK_BETWEEN(small->count * 100 / (small->count + large->count), 12, 30);
}

static void higher_starves_lower(void) {
	struct helper *low = helper_make(PRIORITY_HELPER);
	struct helper *high = helper_make(PRIORITY_HELPER + 1);

	helper_start(low, spin);
	helper_start(high, spin);
	sleep_microseconds(30000);
	helpers_stop();
	CHECK_EQUAL(low->count, 0);
	CHECK(high->count != 0);
}

static void lowered_priority(void) {
	struct helper *first = helper_make(PRIORITY_HELPER + 1);
	struct helper *second = helper_make(PRIORITY_HELPER);

	helper_start(first, spin);
	helper_start(second, spin);
	sleep_microseconds(10000);
	CHECK_EQUAL(second->count, 0);
	CHECK_OK(invoke(first->tcb, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB),
		WORDS(PRIORITY_HELPER - 1)));
	CHECK_SOON(second->count != 0);
}

static void every_priority(void) {
	struct helper *helper = helper_make(1);

	order_count = 0;
	for (uint64_t priority = 3; priority < PRIORITY_MAIN; priority++) {
		CHECK_OK(invoke(
			helper->tcb, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB), WORDS(priority)));
		order_count = 0;
		helper->argument[0] = priority;
		helper_start(helper, note);
		settle();
		CHECK_EQUAL(order_count, 1);
	}
}

static void wait_forever(struct helper *helper) {
	for (;;) {
		(void)ipc_wait(helper->argument[0]);
		helper->count++;
	}
}

static void timer_preempts(void) {
	struct helper *helper = helper_make(PRIORITY_MAIN + 1);
	struct helper *spinner = helper_make(PRIORITY_HELPER);

	helper->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(helper, wait_forever);
	helper_start(spinner, spin);
	// This thread runs again by its own replenishment although another one spins.
	for (unsigned round = 0; round < 5; round++) {
		sleep_microseconds(2000);
		ipc_signal(helper->argument[0]);
	}
	CHECK_EQUAL(helper->count, 5);
	CHECK(spinner->count != 0);
}

static void ping(struct helper *helper) {
	for (unsigned round = 0; round < 1000; round++) {
		(void)ipc_call(helper->argument[0], 0, WORDS(round));
		helper->count++;
	}
}

static void pong(struct helper *helper) {
	(void)ipc_recv(helper->argument[0], helper->argument[1]);
	for (;;) {
		helper->count++;
		(void)ipc_reply_recv(helper->argument[0], helper->argument[1], WORDS());
	}
}

static void many_round_trips(void) {
	struct helper *client = helper_make(PRIORITY_HELPER);
	struct helper *server = helper_make(PRIORITY_HELPER + 1);

	client->argument[0] = object_new(OBJECT_ENDPOINT, 0);
	server->argument[0] = client->argument[0];
	server->argument[1] = object_new(OBJECT_REPLY, 0);
	helper_start(server, pong);
	helper_start(client, ping);
	settle();
	CHECK_EQUAL(client->count, 1000);
	CHECK_EQUAL(server->count, 1000);
}

static void requeued_first(void) {
	struct helper *moved;

	order_count = 0;
	(void)noter(PRIORITY_HELPER, 1, note);
	(void)noter(PRIORITY_HELPER, 2, note);
	moved = noter(PRIORITY_HELPER - 1, 3, note);
	CHECK_OK(invoke(
		moved->tcb, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB), WORDS(PRIORITY_HELPER)));
	settle();
	// A ready thread that changes its level goes to the front.
	CHECK_EQUAL(order[0], 3);
	CHECK_EQUAL(order[1], 2);
	CHECK_EQUAL(order[2], 1);
}

static const struct test tests[] = {
	{"schedule-priority", "threads run in the order of their priorities", by_priority, NULL},
	{"schedule-order", "of threads that a higher one starts the last runs first", last_come,
		NULL},
	{"schedule-yield", "Yield goes to the end of the level", yield_rotates, NULL},
	{"schedule-shares", "equal time slices give equal shares", equal_shares, NULL},
	{"schedule-weights", "time slices of 10 and 40 ms share one to four", slices_weigh, NULL},
	{"schedule-starve", "a spinning thread keeps lower ones from running", higher_starves_lower,
		NULL},
	{"schedule-lowered", "lowering a ready thread's priority lets another run",
		lowered_priority, NULL},
	{"schedule-levels", "every priority level runs", every_priority, NULL},
	{"schedule-timer", "a replenished thread preempts a lower one", timer_preempts, NULL},
	{"schedule-round-trips", "a thousand calls and replies go through", many_round_trips, NULL},
	{"schedule-requeue", "a ready thread raised to a level runs before its equals",
		requeued_first, NULL},
};

TEST_FILE_TIMED(schedule);
