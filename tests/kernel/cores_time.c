// SPDX-License-Identifier: BSD-2-Clause
// Tests: budgets and timers of other cores.
#include "cores.h"

static uint64_t consumed(const struct helper *helper) {
	struct message answer = invoke(
		helper->sched_context, LABEL_SCHED_CONTEXT_CONSUMED, CAPS(), WORDS());

	check_ok(HERE, &answer);
	return answer.words[0];
}

static void consumed_elsewhere(void) {
	struct helper *helper = core_start(core_other(0), PRIORITY_HELPER, core_spin);

	CHECK_COUNTS(helper, core_other(0));
	(void)consumed(helper);
	core_pass(100000);
	// It runs on while its time is asked for.
	CHECK_BETWEEN(consumed(helper), 70000, 200000);
	CHECK_COUNTS(helper, core_other(0));
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
	(void)consumed(helper);
	core_pass(1000);
	CHECK_EQUAL(consumed(helper), 0);
}

static void budget_ends(void) {
	struct helper *helper = core_helper(core_other(0), PRIORITY_HELPER);
	uint64_t used;

	CHECK_OK(core_configure(core_other(0), helper->sched_context,
		(struct sched_setting){.budget = 20000, .period = 200000}));
	helper_start(helper, core_spin);
	core_pass(1000000);
	used = consumed(helper);
	// Five or six periods of 20 ms.
	CHECK_BETWEEN(used, 60000, 160000);
}

static void yield_for_ever(struct helper *helper) {
	for (;;) {
		helper->count++;
		thread_yield();
	}
}

// Their cores have nothing else to do, so each is woken by its own timer.
static void periods_of_idle_cores(void) {
	struct helper *helpers[HELPERS];
	unsigned count = core_count() < HELPERS ? core_count() : HELPERS;
	uint64_t begin = tsc_read(), passed;

	for (unsigned core = 1; core < count; core++) {
		helpers[core] = core_helper(core, PRIORITY_HELPER);
		CHECK_OK(core_configure(core, helpers[core]->sched_context,
			(struct sched_setting){.budget = 1000, .period = 10000}));
		helper_start(helpers[core], yield_for_ever);
	}
	for (unsigned core = 1; core < count; core++)
		CHECK_MEANWHILE(helpers[core]->count >= 15);
	passed = (tsc_read() - begin) / world.tsc_mhz;
	for (unsigned core = 1; core < count; core++)
		CHECK_BETWEEN(helpers[core]->count, 15, passed / 10000 + 2);
}

static void moved_without_budget(void) {
	struct helper *helper = core_helper(core_other(0), PRIORITY_HELPER);
	struct sched_setting setting = {.budget = 5000, .period = 100000};

	CHECK_OK(core_configure(core_other(0), helper->sched_context, setting));
	helper_start(helper, core_spin);
	CHECK_COUNTS(helper, core_other(0));
	core_pass(20000);
	CHECK_STANDS(helper);
	CHECK_OK(core_configure(core_other(1), helper->sched_context, setting));
	CHECK_COUNTS(helper, core_other(1));
}

static void yields_to_another_core(void) {
	struct helper *helper = core_start(core_other(0), PRIORITY_HELPER, core_spin);
	struct message answer;

	CHECK_COUNTS(helper, core_other(0));
	answer = invoke(helper->sched_context, LABEL_SCHED_CONTEXT_YIELD_TO, CAPS(), WORDS());
	check_ok(HERE, &answer);
	CHECK_EQUAL(answer.length, 1);
	CHECK_COUNTS(helper, core_other(0));
}

static void yield_there(struct helper *helper) {
	helper->message = invoke(
		helper->argument[0], LABEL_SCHED_CONTEXT_YIELD_TO, CAPS(), WORDS());
}

// Who yields to it waits for it no longer when it is taken away.
static void target_moves(void) {
	unsigned core = core_other(0);
	struct helper *target = core_start(core, PRIORITY_HELPER, core_spin);
	struct helper *caller = core_helper(core, PRIORITY_HELPER);

	CHECK_COUNTS(target, core);
	caller->argument[0] = target->sched_context;
	helper_start(caller, yield_there);
	core_pass(2000);
	CHECK_OK(core_move(core_other(1), target->sched_context));
	CHECK_MEANWHILE(caller->done);
	CHECK_EQUAL(caller->message.label, ERROR_NONE);
	CHECK_COUNTS(target, core_other(1));
}

static const struct test tests[] = {
	{"cores-consumed", "the time of a thread that runs elsewhere is known", consumed_elsewhere,
		NULL},
	{"cores-budget", "a budget limits a thread that is alone on its core", budget_ends, NULL},
	{"cores-periods", "idle cores wake for the periods of their threads", periods_of_idle_cores,
		NULL},
	{"cores-refill", "a thread without budget that moves gets its new one there",
		moved_without_budget, NULL},
	{"cores-yield", "YieldTo a thread of another core returns at once", yields_to_another_core,
		NULL},
	{"cores-yield-moved", "who yielded continues when its target moves to another core",
		target_moves, NULL},
};

TEST_FILE_TIMED(cores_time);
