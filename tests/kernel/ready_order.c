// SPDX-License-Identifier: BSD-2-Clause
// Tests: a thread's position among threads of its priority when it becomes ready (SCHED-21 to
// SCHED-24).
#include "world.h"

static volatile uint64_t order[8]; // threads, as they came to run
static volatile unsigned order_count;

static void note(const struct helper *helper) { order[order_count++] = helper->argument[0]; }

static void check_order(struct words expected) {
	CHECK_EQUAL(order_count, expected.count);
	for (unsigned i = 0; i < expected.count; i++)
		CHECK_EQUAL(order[i], expected.items[i]);
}

// A thread that starts later, or has started and waits at `cap`.
static struct helper *noter_make(uint64_t number, uint64_t cap) {
	struct helper *helper = helper_make(PRIORITY_HELPER);

	helper->argument[0] = number;
	helper->argument[1] = cap;
	return helper;
}

static void note_once(struct helper *helper) { note(helper); }

static void wait_and_note(struct helper *helper) {
	(void)ipc_wait(helper->argument[1]);
	note(helper);
}

static void call_and_note(struct helper *helper) {
	(void)ipc_call(helper->argument[1], 0, WORDS());
	note(helper);
}

static void send_and_note(struct helper *helper) {
	ipc_send(helper->argument[1], 0, WORDS());
	note(helper);
}

// Waits at a new object of this type, which is returned.
static uint64_t waiter_start(uint64_t number, uint64_t type) {
	uint64_t object = object_new(type, 0);

	helper_start(noter_make(number, object), wait_and_note);
	settle();
	order_count = 0;
	return object;
}

static void signals(void) {
	uint64_t first = waiter_start(1, OBJECT_NOTIFICATION);
	uint64_t second = waiter_start(2, OBJECT_NOTIFICATION);

	ipc_signal(first);
	ipc_signal(second);
	settle();
	check_order(WORDS(2, 1));
}

static void signals_reversed(void) {
	uint64_t first = waiter_start(1, OBJECT_NOTIFICATION);
	uint64_t second = waiter_start(2, OBJECT_NOTIFICATION);

	ipc_signal(second);
	ipc_signal(first);
	settle();
	check_order(WORDS(1, 2));
}

static void sends(void) {
	uint64_t first = waiter_start(1, OBJECT_ENDPOINT);
	uint64_t second = waiter_start(2, OBJECT_ENDPOINT);

	ipc_send(first, 0, WORDS(5));
	ipc_send(second, 0, WORDS(5));
	settle();
	check_order(WORDS(2, 1));
}

static void reply_and_signal(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t reply = object_new(OBJECT_REPLY, 0);
	uint64_t notification = waiter_start(1, OBJECT_NOTIFICATION);
	struct helper *caller = noter_make(2, endpoint);

	helper_start(caller, call_and_note);
	settle();
	(void)ipc_recv(endpoint, reply);
	ipc_send(reply, 0, WORDS());
	ipc_signal(notification);
	settle();
	check_order(WORDS(1, 2));
}

static void resumes(void) {
	order_count = 0;
	for (uint64_t number = 1; number <= 3; number++)
		helper_start(noter_make(number, NULL_CAP), note_once);
	settle();
	check_order(WORDS(3, 2, 1));
}

// Each faults since its slot is empty, and finds a pending signal there when it continues.
static void fault_replies(void) {
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	uint64_t replies[2];

	for (uint64_t number = 0; number < 2; number++) {
		struct helper *helper = noter_make(number, slot_take());

		replies[number] = object_new(OBJECT_REPLY, 0);
		helper_fault_handler_set(helper, endpoint);
		helper_start(helper, wait_and_note);
		settle();
		CHECK_EQUAL(ipc_recv(endpoint, replies[number]).label, FAULT_CAP);
		CHECK_OK(retype_one(world.arena, OBJECT_NOTIFICATION, 0, helper->argument[1]));
		ipc_signal(helper->argument[1]);
	}
	order_count = 0;
	ipc_send(replies[0], 0, WORDS());
	ipc_send(replies[1], 0, WORDS());
	settle();
	check_order(WORDS(1, 0));
}

static void signal_both(struct helper *helper) {
	ipc_signal(helper->argument[1]);
	ipc_signal(helper->argument[2]);
	note(helper);
}

// Starts a thread that runs first, and one that becomes ready after it.
static void start_before_ready(struct helper *first, void (*run)(struct helper *), uint64_t ready) {
	order_count = 0;
	helper_start(noter_make(ready, NULL_CAP), note_once);
	helper_start(first, run);
	settle();
}

static void equals_queue(void) {
	uint64_t first = waiter_start(1, OBJECT_NOTIFICATION);
	uint64_t second = waiter_start(2, OBJECT_NOTIFICATION);
	struct helper *waker = noter_make(4, first);

	waker->argument[2] = second;
	start_before_ready(waker, signal_both, 3);
	check_order(WORDS(4, 3, 1, 2));
}

static void signal_and_receive(struct helper *helper) {
	(void)ipc_nb_send_recv(
		helper->argument[1], helper->argument[2], helper->argument[3], WORDS());
	note(helper);
}

// One system call wakes a thread by its first half and unblocks a sender by its second.
static void second_of_call(void) {
	uint64_t notification = waiter_start(1, OBJECT_NOTIFICATION);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0);
	struct helper *waker = noter_make(4, notification);

	waker->argument[2] = endpoint;
	waker->argument[3] = object_new(OBJECT_REPLY, 0);
	helper_start(noter_make(2, endpoint), send_and_note);
	settle();
	start_before_ready(waker, signal_and_receive, 3);
	CHECK_EQUAL(order_count, 4);
	CHECK_EQUAL(order[0], 4);
	CHECK_EQUAL(order[1], 2);
}

static void signal_and_note(struct helper *helper) {
	ipc_signal(helper->argument[1]);
	note(helper);
}

static void preempted(void) {
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);
	struct helper *high = helper_make(PRIORITY_HELPER + 1);

	high->argument[0] = 1;
	high->argument[1] = notification;
	helper_start(high, wait_and_note);
	settle();
	start_before_ready(noter_make(2, notification), signal_and_note, 3);
	check_order(WORDS(1, 2, 3));
}

static void yield_and_note(struct helper *helper) {
	thread_yield();
	note(helper);
}

// Its budget, which it has given up, is refilled while a thread of higher priority runs.
static void released(void) {
	struct helper *waits = helper_make_with(
		PRIORITY_HELPER, (struct sched_setting){.budget = 30000, .period = 60000});

	waits->argument[0] = 1;
	helper_start(waits, yield_and_note);
	settle();
	order_count = 0;
	helper_start(noter_make(2, NULL_CAP), note_once);
	spin_microseconds(100000);
	settle();
	check_order(WORDS(1, 2));
}

static const struct test tests[] = {
	{"ready-signals", "of two threads that a higher one signals the second runs first", signals,
		NULL},
	{"ready-signals-reversed", "whichever came to wait first", signals_reversed, NULL},
	{"ready-sends", "the same for two receivers", sends, NULL},
	{"ready-reply", "a thread signalled after a reply runs before the one replied to",
		reply_and_signal, NULL},
	{"ready-resumes", "of three threads that are resumed the last runs first", resumes, NULL},
	{"ready-faults", "of two faults answered the second continues first", fault_replies, NULL},
	{"ready-equals", "a thread woken by an equal that continues waits after all others",
		equals_queue, NULL},
	{"ready-second", "the second thread that one system call makes ready comes first",
		second_of_call, NULL},
	{"ready-preempted", "a preempted thread continues before its equals", preempted, NULL},
	{"ready-released", "a thread whose budget comes back runs before lower ones that wait",
		released, NULL},
};

TEST_FILE_TIMED(ready_order);
