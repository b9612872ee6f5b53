// SPDX-License-Identifier: BSD-2-Clause
// Tests: a thread is on the core of its scheduling context.
#include "cores.h"

static void count_is_told(void) {
	const struct bootinfo *info = world.bootinfo;

	CHECK_BETWEEN(info->node_count, 2, CORES_MOST);
	CHECK_EQUAL(info->node_id, 0);
	CHECK_EQUAL(info->sched_control.end - info->sched_control.start, info->node_count);
	for (uint64_t slot = info->sched_control.start; slot < info->sched_control.end; slot++)
		CHECK_EQUAL(cap_kind(slot), KIND_SCHED_CONTROL);
}

// No two have one hardware id, and each thread runs while this one does.
static void placed(void) {
	for (unsigned core = 0; core < core_count(); core++)
		for (unsigned other = 0; other < core; other++)
			CHECK(core_id(core) != core_id(other));
}

static void at_once(void) {
	struct helper *helpers[HELPERS];
	unsigned count = core_count() < HELPERS ? core_count() : HELPERS;

	for (unsigned core = 1; core < count; core++)
		helpers[core] = core_start(core, PRIORITY_HELPER, core_spin);
	for (unsigned round = 0; round < 20; round++)
		for (unsigned core = 1; core < count; core++)
			CHECK_COUNTS(helpers[core], core);
}

static void equals_share(void) {
	unsigned core = core_other(0);
	struct helper *first = core_start(core, PRIORITY_HELPER, core_spin);
	struct helper *second = core_start(core, PRIORITY_HELPER, core_spin);

	CHECK_MEANWHILE(first->count > 0 && second->count > 0);
	CHECK_COUNTS(first, core);
	CHECK_COUNTS(second, core);
}

static void higher_runs(void) {
	unsigned core = core_other(0);
	struct helper *lower = core_start(core, PRIORITY_HELPER, core_spin);
	struct helper *higher;

	CHECK_COUNTS(lower, core);
	higher = core_start(core, PRIORITY_HELPER + 1, core_spin);
	CHECK_COUNTS(higher, core);
	CHECK_STANDS(lower);
	CHECK_OK(invoke(higher->tcb, LABEL_TCB_SUSPEND, CAPS(), WORDS()));
	CHECK_COUNTS(lower, core);
}

// There is no order of priorities between two cores.
static void lowest_elsewhere(void) {
	struct helper *lowest = core_start(core_other(0), PRIORITY_SETTLE - 1, core_spin);

	CHECK_COUNTS(lowest, core_other(0));
}

static void moved_while_it_runs(void) {
	struct helper *helper = core_start(core_other(0), PRIORITY_HELPER, core_spin);

	for (unsigned round = 0; round < 50; round++) {
		unsigned core = core_other(round);

		CHECK_OK(core_move(core, helper->sched_context));
		CHECK_COUNTS(helper, core);
	}
}

static void moved_here(void) {
	struct helper *helper = core_start(core_other(0), PRIORITY_HELPER, core_spin);
	unsigned here = core_id(0);

	CHECK_COUNTS(helper, core_other(0));
	CHECK_OK(core_move(0, helper->sched_context));
	// It waits for this core, where this thread has the higher priority.
	CHECK_STANDS(helper);
	for (unsigned round = 0; round < 50 && helper->result[0] != here; round++)
		sleep_microseconds(2000);
	CHECK_EQUAL(helper->result[0], here);
	CHECK_OK(core_move(core_other(1), helper->sched_context));
	CHECK_COUNTS(helper, core_other(1));
}

static void moved_while_ready(void) {
	struct helper *higher = core_start(core_other(0), PRIORITY_HELPER + 1, core_spin);
	struct helper *lower = core_start(core_other(0), PRIORITY_HELPER, core_spin);

	CHECK_COUNTS(higher, core_other(0));
	CHECK_STANDS(lower);
	CHECK_OK(core_move(0, lower->sched_context));
	CHECK_STANDS(lower);
	CHECK_OK(core_move(core_other(1), lower->sched_context));
	if (core_other(1) == core_other(0))
		CHECK_STANDS(lower);
	else
		CHECK_COUNTS(lower, core_other(1));
}

static void moved_while_it_waits(void) {
	struct helper *helper = core_helper(core_other(0), PRIORITY_HELPER);

	helper->argument[0] = object_new(OBJECT_NOTIFICATION, 0);
	helper_start(helper, core_wait_once);
	core_pass(1000);
	CHECK_OK(core_move(core_other(1), helper->sched_context));
	core_pass(1000);
	CHECK_EQUAL(helper->done, 0);
	ipc_signal(helper->argument[0]);
	CHECK_MEANWHILE(helper->done);
	CHECK_EQUAL(helper->result[0], core_id(core_other(1)));
}

static void move_itself(struct helper *helper) {
	for (unsigned round = 0; round < 30; round++) {
		unsigned core = round % core_count();

		helper->message = core_move(core, helper->sched_context);
		if (helper->message.label != ERROR_NONE || core_hardware_id() != core_id(core))
			return;
		helper->count++;
	}
}

static void moves_itself(void) {
	struct helper *helper;

	for (unsigned core = 0; core < core_count(); core++)
		(void)core_id(core);
	helper = core_start(core_other(0), PRIORITY_HELPER, move_itself);
	CHECK_SOON(helper->done);
	CHECK_EQUAL(helper->message.label, ERROR_NONE);
	CHECK_EQUAL(helper->count, 30);
}

static void main_moves(void) {
	unsigned home = core_id(0), core = core_other(0), there = core_id(core);

	CHECK_OK(core_move(core, ROOT_SLOT_SCHED_CONTEXT));
	CHECK_EQUAL(core_hardware_id(), there);
	CHECK_OK(core_move(0, ROOT_SLOT_SCHED_CONTEXT));
	CHECK_EQUAL(core_hardware_id(), home);
}

static void bound_and_unbound(void) {
	struct helper *helper = core_start(core_other(0), PRIORITY_HELPER, core_spin);

	for (unsigned round = 0; round < 20; round++) {
		unsigned core = core_other(round);

		CHECK_COUNTS(helper, round ? core_other(round - 1) : core);
		CHECK_OK(
			invoke(helper->sched_context, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS()));
		CHECK_STANDS(helper);
		CHECK_OK(core_move(core, helper->sched_context));
		CHECK_STANDS(helper);
		CHECK_OK(invoke(helper->sched_context, LABEL_SCHED_CONTEXT_BIND, CAPS(helper->tcb),
			WORDS()));
	}
}

static const struct test tests[] = {
	{"cores-count", "there are as many capabilities for time as cores", count_is_told, NULL},
	{"cores-placed", "a thread runs on the core whose capability configured its context",
		placed, NULL},
	{"cores-at-once", "threads run on all cores at once", at_once, NULL},
	{"cores-equals", "threads of one priority share a core", equals_share, NULL},
	{"cores-priority", "the highest thread of a core runs there", higher_runs, NULL},
	{"cores-lowest", "the lowest thread runs beside the highest of another core",
		lowest_elsewhere, NULL},
	{"cores-move", "a running thread goes to the core of its context", moved_while_it_runs,
		NULL},
	{"cores-move-here", "a running thread comes to the core of who moves it", moved_here, NULL},
	{"cores-move-ready", "a thread that waits for its core goes to another", moved_while_ready,
		NULL},
	{"cores-move-blocked", "a thread that was moved while it waited wakes where it belongs",
		moved_while_it_waits, NULL},
	{"cores-move-self", "a thread continues elsewhere when it moves its own context",
		moves_itself, NULL},
	{"cores-move-main", "the initial thread moves and comes back", main_moves, NULL},
	{"cores-unbind", "a thread stops when its context is taken, and runs where that is bound",
		bound_and_unbound, NULL},
};

TEST_FILE(cores_place);
