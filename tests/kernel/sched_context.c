// SPDX-License-Identifier: BSD-2-Clause
// Tests: scheduling contexts and their control: every refusal, binding, consumption, YieldTo.
#include "world.h"

enum { MINIMUM = 20 };

static uint64_t maximum(void) { return ~0ul / world.tsc_mhz / 8; }

static struct message configure(uint64_t sched_context, struct words words) {
	return invoke(world.sched_control, LABEL_SCHED_CONTROL_CONFIGURE_FLAGS, CAPS(sched_context),
		words);
}

static void configure_truncated(void) {
	uint64_t sched_context = object_new(OBJECT_SCHED_CONTEXT, 8);

	CHECK_ERROR(invoke(world.sched_control, 0, CAPS(sched_context), WORDS(1, 2, 3, 4, 5)),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(world.sched_control, LABEL_SCHED_CONTROL_CONFIGURE_FLAGS, CAPS(),
			    WORDS(1000, 1000, 0, 0, 0)),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(configure(sched_context, WORDS(1000, 1000, 0, 0)), ERROR_TRUNCATED_MESSAGE);
}

static void configure_ranges(void) {
	uint64_t sched_context = object_new(OBJECT_SCHED_CONTEXT, 8);
	uint64_t most = maximum();

	CHECK_ERROR(configure(sched_context, WORDS(most + 1, 1000, 0, 0, 0)), ERROR_RANGE, MINIMUM,
		most);
	CHECK_ERROR(
		configure(sched_context, WORDS(~0ul, ~0ul, 0, 0, 0)), ERROR_RANGE, MINIMUM, most);
	CHECK_ERROR(configure(sched_context, WORDS(1000, most + 1, 0, 0, 0)), ERROR_RANGE, MINIMUM,
		most);
	CHECK_ERROR(configure(sched_context, WORDS(MINIMUM - 1, 1000, 0, 0, 0)), ERROR_RANGE,
		MINIMUM, most);
	CHECK_ERROR(configure(sched_context, WORDS(1000, MINIMUM - 1, 0, 0, 0)), ERROR_RANGE,
		MINIMUM, most);
	CHECK_ERROR(
		configure(sched_context, WORDS(1001, 1000, 0, 0, 0)), ERROR_RANGE, MINIMUM, 1000);
	CHECK_OK(configure(sched_context, WORDS(MINIMUM, MINIMUM, 0, 0, 0)));
	CHECK_OK(configure(sched_context, WORDS(most, most, 0, 0, 0)));
}

static void configure_objects(void) {
	uint64_t small = object_new(OBJECT_SCHED_CONTEXT, 7);
	uint64_t middle = object_new(OBJECT_SCHED_CONTEXT, 8);

	CHECK_ERROR(
		configure(ROOT_SLOT_TCB, WORDS(1000, 1000, 0, 0, 0)), ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(configure(NULL_CAP, WORDS(1000, 1000, 0, 0, 0)), ERROR_INVALID_CAPABILITY, 1);
	CHECK_ERROR(configure(small, WORDS(1000, 2000, 1, 0, 0)), ERROR_RANGE, 0, 0);
	CHECK_ERROR(configure(middle, WORDS(1000, 2000, 9, 0, 0)), ERROR_RANGE, 0, 8);
	CHECK_OK(configure(small, WORDS(1000, 2000, 0, 0, 0)));
	CHECK_OK(configure(middle, WORDS(1000, 2000, 8, 0, 1)));
	CHECK_OK(configure(object_new(OBJECT_SCHED_CONTEXT, 12), WORDS(1000, 2000, 248, 0, 1)));
}

static void labels(void) {
	uint64_t sched_context = object_new(OBJECT_SCHED_CONTEXT, 8);

	CHECK_ERROR(invoke(sched_context, 0, CAPS(), WORDS()), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(sched_context, LABEL_SCHED_CONTEXT_BIND, CAPS(), WORDS()),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_ERROR(invoke(sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(), WORDS()),
		ERROR_TRUNCATED_MESSAGE);
	CHECK_OK(invoke(sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
}

static void bind_errors(void) {
	uint64_t first = object_new(OBJECT_SCHED_CONTEXT, 8);
	uint64_t second = object_new(OBJECT_SCHED_CONTEXT, 8);
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	CHECK_ERROR(invoke(first, LABEL_SCHED_CONTEXT_BIND, CAPS(ROOT_SLOT_CNODE), WORDS()),
		ERROR_INVALID_CAPABILITY, 1);
	CHECK_OK(invoke(first, LABEL_SCHED_CONTEXT_BIND, CAPS(tcb), WORDS()));
	CHECK_ERROR(
		invoke(first, LABEL_SCHED_CONTEXT_BIND, CAPS(object_new(OBJECT_TCB, 0)), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(second, LABEL_SCHED_CONTEXT_BIND, CAPS(tcb), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_OK(invoke(first, LABEL_SCHED_CONTEXT_BIND, CAPS(notification), WORDS()));
	CHECK_ERROR(invoke(first, LABEL_SCHED_CONTEXT_BIND,
			    CAPS(object_new(OBJECT_NOTIFICATION, 0)), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(second, LABEL_SCHED_CONTEXT_BIND, CAPS(notification), WORDS()),
		ERROR_ILLEGAL_OPERATION);
}

static void unbind_errors(void) {
	uint64_t sched_context = object_new(OBJECT_SCHED_CONTEXT, 8);
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	uint64_t notification = object_new(OBJECT_NOTIFICATION, 0);

	CHECK_ERROR(invoke(ROOT_SLOT_SCHED_CONTEXT, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(ROOT_SLOT_SCHED_CONTEXT, LABEL_SCHED_CONTEXT_UNBIND_OBJECT,
			    CAPS(ROOT_SLOT_TCB), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(tcb), WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(notification),
			    WORDS()),
		ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(invoke(sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(ROOT_SLOT_CNODE),
			    WORDS()),
		ERROR_INVALID_CAPABILITY, 1);
	CHECK_OK(invoke(sched_context, LABEL_SCHED_CONTEXT_BIND, CAPS(tcb), WORDS()));
	CHECK_OK(invoke(sched_context, LABEL_SCHED_CONTEXT_BIND, CAPS(notification), WORDS()));
	CHECK_OK(invoke(sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(tcb), WORDS()));
	CHECK_OK(invoke(
		sched_context, LABEL_SCHED_CONTEXT_UNBIND_OBJECT, CAPS(notification), WORDS()));
	CHECK_OK(invoke(sched_context, LABEL_SCHED_CONTEXT_BIND, CAPS(tcb), WORDS()));
	CHECK_OK(invoke(sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
	CHECK_OK(invoke(sched_context, LABEL_SCHED_CONTEXT_BIND, CAPS(tcb), WORDS()));
}

static void count_once(struct helper *helper) { helper->count++; }

static void unconfigured_cannot_run(void) {
	struct helper *helper = helper_make_passive(PRIORITY_HELPER);
	uint64_t sched_context = object_new(OBJECT_SCHED_CONTEXT, 8);

	CHECK_OK(invoke(sched_context, LABEL_SCHED_CONTEXT_BIND, CAPS(helper->tcb), WORDS()));
	helper_start(helper, count_once);
	settle();
	CHECK_EQUAL(helper->count, 0);
	CHECK_OK(configure(sched_context, WORDS(TIME_SLICE, TIME_SLICE, 0, 0, 0)));
	settle();
	CHECK_EQUAL(helper->count, 1);
}

static void spin_given(struct helper *helper) { spin_microseconds(helper->argument[0]); }

static uint64_t consumed(uint64_t sched_context) {
	struct message answer = invoke(
		sched_context, LABEL_SCHED_CONTEXT_CONSUMED, CAPS(), WORDS());

	check_ok(HERE, &answer);
	CHECK_EQUAL(answer.length, 1);
	return answer.words[0];
}

static void consumption(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	uint64_t first;

	CHECK_EQUAL(consumed(helper->sched_context), 0);
	helper->argument[0] = 20000;
	helper_start(helper, spin_given);
	settle();
	first = consumed(helper->sched_context);
	CHECK_BETWEEN(first, 18000, 200000);
	CHECK_EQUAL(consumed(helper->sched_context), 0);
	CHECK(consumed(ROOT_SLOT_SCHED_CONTEXT) != 0);
}

static struct message yield_to(uint64_t sched_context) {
	return invoke(sched_context, LABEL_SCHED_CONTEXT_YIELD_TO, CAPS(), WORDS());
}

static void yield_to_given(struct helper *helper) {
	helper->message = yield_to(helper->argument[0]);
}

static void yield_to_errors(void) {
	struct helper *helper = helper_make(PRIORITY_HELPER);
	struct helper *higher = helper_make(PRIORITY_HELPER + 1);

	CHECK_ERROR(yield_to(object_new(OBJECT_SCHED_CONTEXT, 8)), ERROR_ILLEGAL_OPERATION);
	CHECK_ERROR(yield_to(ROOT_SLOT_SCHED_CONTEXT), ERROR_ILLEGAL_OPERATION);
	helper->argument[0] = higher->sched_context;
	helper_start(helper, yield_to_given);
	settle();
	CHECK_EQUAL(helper->done, 1);
	CHECK_EQUAL(helper->message.label, ERROR_ILLEGAL_OPERATION);
	CHECK_EQUAL(helper->message.length, 0);
}

static void yield_to_equal(void) {
	struct helper *helper = helper_make(PRIORITY_MAIN);
	struct message answer;

	helper->argument[0] = 3000;
	helper_start(helper, spin_given);
	CHECK_EQUAL(helper->done, 0);
	answer = yield_to(helper->sched_context);
	check_ok(HERE, &answer);
	CHECK_EQUAL(answer.length, 1);
	CHECK_EQUAL(helper->done, 1);
	CHECK_BETWEEN(answer.words[0], 2500, 100000);
}

static void yield_to_lower(void) {
	struct helper *first = helper_make(PRIORITY_HELPER);
	struct helper *second = helper_make(PRIORITY_HELPER);
	struct message answer;

	helper_start(first, count_once);
	helper_start(second, count_once);
	answer = yield_to(second->sched_context);
	check_ok(HERE, &answer);
	CHECK_EQUAL(answer.words[0], 0);
	CHECK_EQUAL(second->done, 0); // this thread continued
	settle();
	CHECK_EQUAL(first->done + second->done, 2);
}

static void yield_to_blocked(void) {
	struct helper *helper = helper_make(PRIORITY_MAIN);

	// Inactive: nothing to yield to.
	CHECK_OK(yield_to(helper->sched_context));
}

static void yield_to_deleted(void) {
	struct helper *caller = helper_make(PRIORITY_HELPER);
	struct helper *target = helper_make(PRIORITY_HELPER);

	target->argument[0] = 60000;
	caller->argument[0] = target->sched_context;
	helper_start(target, spin_given);
	helper_start(caller, yield_to_given);
	CHECK_OK(invoke(ROOT_SLOT_TCB, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB),
		WORDS(PRIORITY_SETTLE)));
	CHECK_OK(invoke(
		ROOT_SLOT_TCB, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB), WORDS(PRIORITY_MAIN)));
	CHECK_EQUAL(caller->done, 1);
	CHECK_EQUAL(target->done, 1);
	CHECK_OK(cap_delete(target->sched_context));
}

static void yield_to_second(void) {
	struct helper *first = helper_make(PRIORITY_HELPER);
	struct helper *second = helper_make(PRIORITY_HELPER);
	struct helper *target = helper_make(PRIORITY_HELPER);

	// Both wait behind the same target, which takes its time.
	target->argument[0] = 20000;
	first->argument[0] = target->sched_context;
	second->argument[0] = target->sched_context;
	helper_start(first, yield_to_given);
	helper_start(second, yield_to_given);
	helper_start(target, spin_given);
	settle();
	CHECK_EQUAL(first->done + second->done + target->done, 3);
	CHECK_EQUAL(first->message.label, ERROR_NONE);
	CHECK_EQUAL(second->message.label, ERROR_NONE);
	CHECK_EQUAL(first->message.length, 1);
	CHECK_EQUAL(second->message.length, 1);
}

static void yield_once(struct helper *helper) {
	thread_yield();
	helper->count++;
}

static void yield_not_charged(void) {
	struct helper *helper = helper_make_with(
		PRIORITY_HELPER, (struct sched_setting){.budget = 40000, .period = 50000});

	helper_start(helper, yield_once);
	CHECK_SOON(helper->count == 1);
	// What Yield gave up was not used.
	CHECK_BETWEEN(consumed(helper->sched_context), 0, 20000);
}

static void initial_context(void) {
	// The initial thread: controlled priority 255, a scheduling context of 2^7 bytes.
	CHECK_OK(invoke(object_new(OBJECT_TCB, 0), LABEL_TCB_SET_MC_PRIORITY, CAPS(ROOT_SLOT_TCB),
		WORDS(255)));
	CHECK_ERROR(configure(ROOT_SLOT_SCHED_CONTEXT, WORDS(TIME_SLICE, TIME_SLICE, 1, 0, 0)),
		ERROR_RANGE, 0, 0);
}

static const struct test tests[] = {
	{"sc-truncated", "ConfigureFlags wants five words and a context", configure_truncated,
		"SchedControlConfigureFlags/1 SchedControlConfigureFlags/2"},
	{"sc-ranges", "budget and period lie between the minimum and the maximum", configure_ranges,
		"SchedControlConfigureFlags/3 SchedControlConfigureFlags/4 "
		"SchedControlConfigureFlags/5 SchedControlConfigureFlags/6 "
		"SchedControlConfigureFlags/7 SchedControlConfigureFlags/0"},
	{"sc-objects", "refills fit the size of the scheduling context", configure_objects,
		"SchedControlConfigureFlags/8 SchedControlConfigureFlags/9"},
	{"sc-labels", "a scheduling context knows its own operations", labels,
		"SchedContextBind/1 SchedContextUnbindObject/1 SchedContextUnbind/0"},
	{"sc-bind-errors",
		"a context has one thread and one notification, and each of them one context",
		bind_errors, "SchedContextBind/2 SchedContextBind/4 SchedContextBind/5"},
	{"sc-unbind-errors", "only what is bound is unbound, never the caller", unbind_errors,
		"SchedContextUnbind/1 SchedContextUnbindObject/0 SchedContextUnbindObject/2 "
		"SchedContextUnbindObject/3 SchedContextUnbindObject/4"},
	{"sc-unconfigured", "a thread does not run on an unconfigured context",
		unconfigured_cannot_run, NULL},
	{"sc-consumed", "Consumed reports the time since the last report", consumption,
		"SchedContextConsumed/0"},
	{"sc-yield-errors", "YieldTo refuses no thread, oneself and too high priorities",
		yield_to_errors,
		"SchedContextYieldTo/1 SchedContextYieldTo/2 SchedContextYieldTo/3"},
	{"sc-yield-equal", "YieldTo an equal runs it first and reports what it used",
		yield_to_equal, "SchedContextYieldTo/0"},
	{"sc-yield-lower", "YieldTo a lower thread returns at once", yield_to_lower, NULL},
	{"sc-yield-inactive", "YieldTo a thread that cannot run returns at once", yield_to_blocked,
		NULL},
	{"sc-yield-finish", "a thread that yielded continues when its target has used its time",
		yield_to_deleted, NULL},
	{"sc-yield-second", "a second YieldTo completes the first", yield_to_second, NULL},
	{"sc-yield-unused", "what Yield gives up is not consumed", yield_not_charged, NULL},
	{"sc-initial", "the initial thread's context has no room for more refills", initial_context,
		NULL},
};

TEST_FILE_TIMED(sched_context);
