// SPDX-License-Identifier: BSD-2-Clause
// Tests: faults whose handler is on another core.
#include "snippets.h"
#include "cores.h"

enum { HOLE = 0x1000, ROUNDS = 50, BADGE = 0x77 };

static volatile uint64_t word; // by the helper

// A helper of a core that starts at code, and whose faults come to the endpoint.
static struct fault_case case_make(unsigned core, const char *code, uint64_t rdi) {
	struct fault_case made = {
		.helper = core_helper(core, PRIORITY_HELPER),
		.endpoint = object_new(OBJECT_ENDPOINT, 0),
		.reply = object_new(OBJECT_REPLY, 0),
	};

	helper_fault_handler_set(made.helper, made.endpoint);
	helper_start_at(made.helper, code, rdi);
	return made;
}

static void page_fault(void) {
	struct fault_case made = case_make(core_other(0), code_read, HOLE);
	struct message fault = ipc_recv(made.endpoint, made.reply);

	CHECK_EQUAL(fault.label, FAULT_VM);
	CHECK_EQUAL(fault.words[0], (uint64_t)code_read);
	CHECK_EQUAL(fault.words[1], HOLE);
	tables_make(ROOT_SLOT_SPACE, 0);
	CHECK_OK(frame_map(object_new(OBJECT_PAGE, 0), ROOT_SLOT_SPACE, HOLE, RIGHT_READ));
	ipc_send(made.reply, 0, WORDS());
	// The page is there now, and what comes behind the read is UD2.
	fault = ipc_recv(made.endpoint, made.reply);
	CHECK_EQUAL(fault.label, FAULT_USER_EXCEPTION);
	CHECK_EQUAL(fault.words[3], 6);
}

static void exceptions(void) {
	struct fault_case made = case_make(core_other(0), code_undefined, 0);

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct message fault = ipc_recv(made.endpoint, made.reply);

		CHECK_EQUAL(fault.label, FAULT_USER_EXCEPTION);
		CHECK_EQUAL(fault.words[0], (uint64_t)code_undefined);
		ipc_send(made.reply, 0, WORDS()); // and again
	}
}

static void handle_faults(struct helper *helper) {
	(void)ipc_recv(helper->argument[0], helper->argument[1]);
	for (;;) {
		helper->count++;
		(void)ipc_reply_recv(helper->argument[0], helper->argument[1], WORDS());
	}
}

// Each core's faults go to a handler of the next core.
static void handlers_in_a_ring(void) {
	struct helper *handlers[4];
	unsigned count = core_count() < 4 ? core_count() : 4;

	for (unsigned core = 0; core < count; core++) {
		struct fault_case made = case_make(core, code_undefined, 0);

		handlers[core] = core_helper((core + 1) % count, PRIORITY_HELPER + 1);
		handlers[core]->argument[0] = made.endpoint;
		handlers[core]->argument[1] = made.reply;
		helper_start(handlers[core], handle_faults);
	}
	for (unsigned core = 0; core < count; core++)
		CHECK_SOON(handlers[core]->count > ROUNDS);
}

static void registers_in_the_reply(void) {
	struct fault_case made = case_make(core_other(0), code_undefined, (uint64_t)&word);

	word = 0;
	CHECK_EQUAL(ipc_recv(made.endpoint, made.reply).label, FAULT_USER_EXCEPTION);
	ipc_send(made.reply, 0,
		WORDS((uint64_t)code_count, helper_stack_top(made.helper) - 8, 0x202));
	CHECK_MEANWHILE(word > 0);
}

static void unknown_system_call(void) {
	struct fault_case made = case_make(core_other(0), code_syscall, (uint64_t)-100);
	struct message fault = ipc_recv(made.endpoint, made.reply);

	CHECK_EQUAL(fault.label, FAULT_UNKNOWN_SYSCALL);
	CHECK_EQUAL(fault.words[0], 0xa0);
}

static void fault_waits_for_handler(void) {
	struct fault_case made = case_make(core_other(0), code_undefined, 0);

	// The fault waits at the endpoint until a handler asks for it.
	CHECK_MEANWHILE(ipc_nb_recv(made.endpoint, made.reply).label == FAULT_USER_EXCEPTION);
	CHECK_OK(invoke(made.helper->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
}

static void timeout(void) {
	struct helper *helper = core_helper(core_other(0), PRIORITY_HELPER);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0), reply = object_new(OBJECT_REPLY, 0);
	uint64_t first = 0;

	CHECK_OK(core_configure(core_other(0), helper->sched_context,
		(struct sched_setting){.budget = 2000, .period = 10000, .badge = BADGE}));
	helper_timeout_handler_set(helper, endpoint);
	helper_start(helper, core_spin);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct message fault = ipc_recv(endpoint, reply);

		CHECK_EQUAL(fault.label, FAULT_TIMEOUT);
		CHECK_EQUAL(fault.words[0], BADGE);
		CHECK_STANDS(helper);
		if (round == 0) first = helper->count;
		ipc_send(reply, 0, WORDS());
	}
	// Not after each: the kernel may use up a short refill itself.
	CHECK(helper->count > first);
	CHECK_EQUAL(helper->result[0], core_id(core_other(0)));
}

// The handler gives it another context, whose core it goes on to.
static void timeout_moves(void) {
	struct helper *helper = core_helper(core_other(0), PRIORITY_HELPER);
	uint64_t endpoint = object_new(OBJECT_ENDPOINT, 0), reply = object_new(OBJECT_REPLY, 0);

	CHECK_OK(core_configure(core_other(0), helper->sched_context,
		(struct sched_setting){.budget = 2000, .period = 1000000}));
	helper_timeout_handler_set(helper, endpoint);
	helper_start(helper, core_spin);
	CHECK_EQUAL(ipc_recv(endpoint, reply).label, FAULT_TIMEOUT);
	CHECK_OK(core_move(core_other(1), helper->sched_context));
	ipc_send(reply, 0, WORDS());
	CHECK_COUNTS(helper, core_other(1));
}

static const struct test tests[] = {
	{"cores-fault", "a page fault reaches its handler on another core, and is answered",
		page_fault, NULL},
	{"cores-exception", "exceptions are handled on another core again and again", exceptions,
		NULL},
	{"cores-fault-ring", "each core's faults are handled by its neighbour at once",
		handlers_in_a_ring, NULL},
	{"cores-fault-registers", "the answer from another core says where the thread goes on",
		registers_in_the_reply, NULL},
	{"cores-fault-syscall", "an unknown system call is handled on another core",
		unknown_system_call, NULL},
	{"cores-fault-queue", "a fault waits for its handler on another core",
		fault_waits_for_handler, NULL},
	{"cores-timeout", "a timeout fault is handled on another core", timeout, NULL},
	{"cores-timeout-moved", "the handler of a timeout fault moves the thread", timeout_moves,
		NULL},
};

TEST_FILE(cores_fault);
