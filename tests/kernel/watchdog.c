// SPDX-License-Identifier: BSD-2-Clause
// A thread above all others that wakes every 50 ms and ends a test that makes no progress: helpers
// are suspended and the main thread continues in `watchdog_land`, whatever it was blocked in.
#include "world.h"
#include "helper.h"

enum {
	TEST_LIMIT = 20000000,
	WATCHDOG_PERIOD = 50000,
	WATCHDOG_BUDGET = 25000,
	LANDING_STACK = 16384
};

static volatile uint64_t deadline; // TSC; 0: disarmed. Main thread arms, the watchdog disarms.
static char landing_stack[LANDING_STACK] __attribute__((aligned(16)));

[[gnu::noreturn]] static void watchdog_land(void) {
	test_fail(HERE, "no progress for %u s: the watchdog ended the test", TEST_LIMIT / 1000000);
}

static void main_rescue(void) {
	uint64_t stack = (uint64_t)landing_stack + sizeof(landing_stack) - 8;

	helpers_stop();
	(void)invoke(ROOT_SLOT_TCB, LABEL_TCB_SUSPEND, CAPS(), WORDS());
	// The SC may have been donated to a thread that will never give it back.
	(void)invoke(ROOT_SLOT_SCHED_CONTEXT, LABEL_SCHED_CONTEXT_UNBIND, CAPS(), WORDS());
	(void)sched_configure(ROOT_SLOT_SCHED_CONTEXT,
		(struct sched_setting){.budget = TIME_SLICE, .period = TIME_SLICE});
	(void)invoke(
		ROOT_SLOT_SCHED_CONTEXT, LABEL_SCHED_CONTEXT_BIND, CAPS(ROOT_SLOT_TCB), WORDS());
	(void)invoke(ROOT_SLOT_TCB, LABEL_TCB_WRITE_REGISTERS, CAPS(),
		WORDS(1, 3, (uint64_t)watchdog_land, stack, 0x202));
}

static void watchdog_run(struct helper *helper) {
	for (;;) {
		uint64_t limit = deadline;

		helper->count++;
		// This thread's own budget may end anywhere: the test may be over by now.
		if (limit != 0 && tsc_read() > limit && deadline == limit) {
			deadline = 0;
			main_rescue();
		}
		thread_yield();
	}
}

void watchdog_start(void) {
	uint64_t tcb = object_new(OBJECT_TCB, 0);
	uint64_t sched_context = sched_context_make(
		(struct sched_setting){.budget = WATCHDOG_BUDGET, .period = WATCHDOG_PERIOD});

	helper_start(helper_make_watchdog(tcb, sched_context), watchdog_run);
}

void watchdog_arm(void) { deadline = tsc_read() + tsc_of(TEST_LIMIT); }

void watchdog_disarm(void) { deadline = 0; }
