// SPDX-License-Identifier: BSD-2-Clause
// What does Yield cost, alone at a priority and with an equal thread that takes over? What does it
// cost to have the scheduler choose again?
#include "bench.h"

enum { HIGHEST = PRIORITY_MAIN - 2, LOWEST = PRIORITY_SETTLE + 10, BYSTANDERS = 6 };

enum argument { PARTNER };

// Of the two threads that take turns: by the running one.
static volatile uint64_t next_priority;
static volatile unsigned rounds;

// Alone, a thread returns from its own Yield; of two, each returns when the other yields.
static void yield_run(struct helper *) {
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct sel4_registers registers = {0};
		uint64_t end;

		begun_at = ticks_begin();
		sel4_syscall(SYSCALL_YIELD, &registers);
		end = ticks_end();
		sample_add(end - begun_at);
	}
}

// The first of two threads uses the FPU once, so that every switch finds another use of it.
static void yield_fpu_run(struct helper *helper) {
	asm volatile("pxor %%xmm0, %%xmm0" ::: "memory");
	yield_run(helper);
}

static void yield_fpu_measure(const struct row *) {
	helper_start(helper_make(PRIORITY_HELPER), yield_fpu_run);
	helper_start(helper_make(PRIORITY_HELPER), yield_run);
	settle();
}

static void yield_measure(const struct row *row) {
	for (uint64_t thread = 0; thread < row->setting; thread++)
		helper_start(helper_make(PRIORITY_HELPER), yield_run);
	settle();
}

__attribute__((always_inline)) static inline void priority_set(
	struct helper *helper, uint64_t priority) {
	struct sel4_registers registers = {
		.rdi = helper->tcb,
		.rsi = tag_make(LABEL_TCB_SET_PRIORITY, 0, 1, 1),
		.words = {priority},
	};

	helper->buffer->caps_or_badges[0] = ROOT_SLOT_TCB;
	begun_at = ticks_begin();
	sel4_syscall(SYSCALL_CALL, &registers);
}

// The running thread changes its own priority, from the highest downwards, and remains the highest:
// the scheduler has to choose, and chooses the same thread.
static void same_run(struct helper *helper) {
	uint64_t priority = HIGHEST;

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t end;

		priority_set(helper, priority);
		end = ticks_end();
		sample_add(end - begun_at);
		priority = priority == LOWEST ? HIGHEST : priority - 1;
	}
}

static void bystander_run(struct helper *helper) { (void)helper; }

static void same_measure(const struct row *) {
	for (uint64_t thread = 1; thread <= BYSTANDERS; thread++)
		helper_start(helper_make(PRIORITY_SETTLE + thread), bystander_run);
	helper_start(helper_make(HIGHEST), same_run);
	settle();
}

// Both back to the highest priority: the running thread first, so that it stays the running one.
static void partners_raise(const struct helper *helper) {
	CHECK_OK(invoke(helper->tcb, LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB), WORDS(HIGHEST)));
	CHECK_OK(invoke(helper->argument[PARTNER], LABEL_TCB_SET_PRIORITY, CAPS(ROOT_SLOT_TCB),
		WORDS(HIGHEST - 1)));
	next_priority = HIGHEST - 2;
}

// Of two threads each lowers itself to just below the other, which comes back from its own turn.
static void other_run(struct helper *helper) {
	while (rounds < ROUNDS) {
		uint64_t priority = next_priority;
		uint64_t end;

		next_priority = priority - 1;
		rounds = rounds + 1;
		priority_set(helper, priority);
		end = ticks_end();
		sample_add(end - begun_at);
		if (next_priority < LOWEST) partners_raise(helper);
	}
}

static void other_measure(const struct row *) {
	struct helper *first = helper_make(HIGHEST);
	struct helper *second = helper_make(HIGHEST - 1);

	first->argument[PARTNER] = second->tcb;
	second->argument[PARTNER] = first->tcb;
	next_priority = HIGHEST - 2;
	rounds = 0;
	helper_start(first, other_run);
	helper_start(second, other_run);
	settle();
}

static const struct row rows[] = {
	{"yield-alone", yield_measure, 1},
	{"yield-to-equal", yield_measure, 2},
	{"yield-fpu", yield_fpu_measure, 0},
	{"reschedule", same_measure, 0},
	{"reschedule-to-other", other_measure, 0},
};

ROW_FILE(schedule);
