// SPDX-License-Identifier: BSD-2-Clause
// Tests: operations on a thread while it runs on another core.
#include "snippets.h"
#include "cores.h"

enum { ROUNDS = 50, REGISTER_RDI = 8 };

static volatile uint64_t counters[2];

static void suspend_and_resume(void) {
	struct helper *helper = core_start(core_other(0), PRIORITY_HELPER, core_spin);

	for (unsigned round = 0; round < ROUNDS; round++) {
		CHECK_COUNTS(helper, core_other(0));
		CHECK_OK(invoke(helper->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
		CHECK_STANDS(helper);
		CHECK_OK(invoke(helper->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	}
}

// As soon as Suspend has returned, and not a bit later.
static void suspend_is_over(void) {
	struct helper *helper = core_start(core_other(0), PRIORITY_HELPER, core_spin);

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t count;

		CHECK_MEANWHILE(helper->count > 0);
		CHECK_OK(invoke(helper->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
		count = helper->count;
		for (unsigned look = 0; look < 100; look++) {
			core_relax();
			CHECK_EQUAL(helper->count, count);
		}
		helper->count = 0;
		CHECK_OK(invoke(helper->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	}
}

static void suspend_others(struct helper *helper) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		helper->message = invoke(helper->argument[0], LABEL_TCB_SUSPEND, CAPS(), WORDS());
		helper->count++;
		core_relax();
		(void)invoke(helper->argument[0], LABEL_TCB_RESUME, CAPS(), WORDS());
	}
	for (;;)
		core_relax();
}

// Each suspends the other: who is suspended waits until the main thread resumes it.
static void suspend_each_other(void) {
	struct helper *one = core_helper(core_other(0), PRIORITY_HELPER);
	struct helper *two = core_helper(core_other(1), PRIORITY_HELPER);

	one->argument[0] = two->tcb;
	two->argument[0] = one->tcb;
	helper_start(one, suspend_others);
	helper_start(two, suspend_others);
	for (unsigned left = 200000; one->count < ROUNDS || two->count < ROUNDS; left--) {
		if (left == 0) test_fail(HERE, "not in time: %lu, %lu", one->count, two->count);
		core_relax();
		CHECK_OK(invoke(one->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
		CHECK_OK(invoke(two->tcb, LABEL_TCB_RESUME, CAPS(), WORDS()));
	}
}

static struct helper *counter_start(unsigned core, unsigned index) {
	struct helper *helper = core_helper(core, PRIORITY_HELPER);

	counters[index] = 0;
	helper_start_at(helper, code_count, (uint64_t)&counters[index]);
	CHECK_MEANWHILE(counters[index] > 0);
	return helper;
}

static bool is_in_loop(uint64_t rip) {
	return rip >= (uint64_t)code_count && rip < (uint64_t)code_count_end;
}

static void registers_are_read(void) {
	struct helper *helper = counter_start(core_other(0), 0);

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t count = counters[0];
		struct message read = helper_registers_read(helper);

		check_ok(HERE, &read);
		CHECK(is_in_loop(read.words[0]));
		CHECK_EQUAL(read.words[1], helper_stack_top(helper) - 8);
		CHECK_EQUAL(read.words[REGISTER_RDI], (uint64_t)&counters[0]);
		CHECK_MEANWHILE(counters[0] > count);
	}
}

static void registers_are_written(void) {
	struct helper *helper = counter_start(core_other(0), 0);
	uint64_t stack = helper_stack_top(helper) - 8, count;

	counters[1] = 0;
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_WRITE_REGISTERS, CAPS(),
		WORDS(0, 9, (uint64_t)code_count, stack, 0x202, 0, 0, 0, 0, 0,
			(uint64_t)&counters[1])));
	count = counters[0];
	CHECK_MEANWHILE(counters[1] > 0);
	CHECK_EQUAL(counters[0], count);
}

static void registers_are_copied(void) {
	struct helper *from = counter_start(core_other(0), 0);
	struct helper *to = counter_start(core_other(1), 1);
	uint64_t count;

	// Suspends the source, and copies all.
	CHECK_OK(invoke(to->tcb, LABEL_TCB_COPY_REGISTERS, CAPS(from->tcb), WORDS(0xd)));
	count = counters[1];
	core_pass(1000);
	CHECK_EQUAL(counters[1], count);
	count = counters[0];
	CHECK_MEANWHILE(counters[0] > count);
	CHECK_OK(invoke(to->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
	count = counters[0];
	core_pass(1000);
	CHECK_EQUAL(counters[0], count);
}

static void priority_set(struct helper *helper, uint64_t priority) {
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB), WORDS(priority)));
}

static void priorities_change(void) {
	unsigned core = core_other(0);
	struct helper *one = core_start(core, PRIORITY_HELPER, core_spin);
	struct helper *two = core_start(core, PRIORITY_HELPER - 1, core_spin);

	for (unsigned round = 0; round < 10; round++) {
		CHECK_COUNTS(one, core);
		CHECK_STANDS(two);
		priority_set(two, PRIORITY_HELPER + 1); // above the running one
		CHECK_COUNTS(two, core);
		CHECK_STANDS(one);
		priority_set(two, PRIORITY_HELPER - 1); // the running one, below
	}
}

static void priority_of_waiter(void) {
	unsigned core = core_other(0);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0), reply = object_new(OBJECT_REPLY, 0);
	struct helper *clients[2];

	for (unsigned index = 0; index < 2; index++) {
		clients[index] = core_helper(core, PRIORITY_HELPER + index);
		clients[index]->argument[0] = cap_mint(endpoint, RIGHTS_ALL, 1 + index);
		helper_start(clients[index], core_call_once);
		core_pass(1000);
	}
	priority_set(clients[0], PRIORITY_HELPER + 5);
	CHECK_BETWEEN(ipc_recv(endpoint, reply).badge, 1, 2);
	ipc_send(reply, 0, WORDS());
	CHECK_BETWEEN(ipc_recv(endpoint, reply).badge, 1, 2);
	ipc_send(reply, 0, WORDS());
	CHECK_MEANWHILE(clients[0]->done && clients[1]->done);
}

// Its own space is replaced by one with the same program in it.
static void space_changes(void) {
	struct helper *helper = core_helper(core_other(0), PRIORITY_HELPER);
	uint64_t space = space_new();

	image_map(space);
	counters[0] = 0;
	helper_start_at(helper, code_count, (uint64_t)&counters[0]);
	for (unsigned round = 0; round < 10; round++) {
		uint64_t count = counters[0];

		CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_SPACE,
			CAPS(NULL_CAP, ROOT_SLOT_CNODE, round % 2 ? ROOT_SLOT_SPACE : space),
			WORDS(0, 0)));
		CHECK_MEANWHILE(counters[0] > count + 1);
	}
}

static const struct test tests[] = {
	{"cores-suspend", "a running thread of another core is suspended and resumed",
		suspend_and_resume, NULL},
	{"cores-suspend-now", "it executes nothing when Suspend has returned", suspend_is_over,
		NULL},
	{"cores-suspend-both", "threads of two cores suspend each other", suspend_each_other, NULL},
	{"cores-registers", "the registers of a running thread are read", registers_are_read, NULL},
	{"cores-registers-write", "they are written while it runs", registers_are_written, NULL},
	{"cores-registers-copy", "they are copied from one running thread to another",
		registers_are_copied, NULL},
	{"cores-set-priority", "priorities change on another core at once", priorities_change,
		NULL},
	{"cores-set-waiter", "the priority of a thread that waits on another core changes",
		priority_of_waiter, NULL},
	{"cores-set-space", "a running thread gets another address space", space_changes, NULL},
};

TEST_FILE(cores_control);
