// SPDX-License-Identifier: BSD-2-Clause
// The thread of the highest priority that sleeps for a period, and what its sleep is compared with.
#include <root/selftest/alarm.h>

#include <abi/bootinfo.h>

#include <root/thread.h>

#include <user/root/root.h>
#include <user/untyped.h>
#include <x86/instructions.h>

enum {
	STACK_WORDS = 128,
	BUDGET = 500, // microseconds
	MILLION = 1000000,
	LIMIT = 1000000, // microseconds until it is taken not to wake up
};

// Written by alarm_make; then the thread's are the stack and what it says.
static seL4_Word stack[STACK_WORDS] __attribute__((aligned(16)));
static seL4_CPtr go;
static seL4_CPtr woken;
static uint64_t hertz;
static bool is_started;
static volatile uint64_t slept_from, slept_to;

static void alarm_run(void *) {
	for (;;) {
		struct sel4_registers wait = {.rdi = go};

		sel4_syscall(SYSCALL_WAIT, &wait);
		slept_from = tsc_read_ordered();
		seL4_Yield();
		slept_to = tsc_read_ordered();
		seL4_Signal(woken);
	}
}

static uint64_t hertz_find(const seL4_BootInfo *bootinfo) {
	const seL4_BootInfoHeader *rate = bootinfo_find(bootinfo, BOOTINFO_TSC_RATE);

	return rate ? *(const uint64_t *)(rate + 1) : 0;
}

bool alarm_make(const seL4_BootInfo *bootinfo, seL4_CPtr signal) {
	static const struct thread_plan plan = {
		.entry = alarm_run,
		.stack_end = stack + STACK_WORDS,
		.priority = seL4_MaxPrio,
		.budget = BUDGET,
		.period = ALARM_PERIOD,
	};
	struct thread thread;

	woken = signal;
	is_started = false;
	hertz = hertz_find(bootinfo);
	go = object_make(OBJECT_NOTIFICATION, 0);
	return alarm_ticks() && go && !thread_make(bootinfo, &plan, &thread) &&
		!seL4_TCB_Resume(thread.tcb);
}

void alarm_start(void) {
	if (!is_started) seL4_Signal(go);
	is_started = true;
}

void alarm_taken(void) { is_started = false; }

uint64_t alarm_hertz(void) { return hertz; }

uint64_t alarm_ticks(void) { return (hertz + MILLION / 2) / MILLION; }

uint64_t alarm_measure(void) {
	uint64_t start = tsc_read_ordered();

	slept_to = 0;
	if (seL4_TCB_SetPriority(seL4_CapInitThreadTCB, seL4_CapInitThreadTCB, seL4_MaxPrio - 1))
		return 0;
	seL4_Signal(go);
	while (!slept_to && tsc_read_ordered() - start < LIMIT * alarm_ticks())
		;
	// Back to the highest: nothing else may run instead of this thread from here on.
	if (seL4_TCB_SetPriority(seL4_CapInitThreadTCB, seL4_CapInitThreadTCB, seL4_MaxPrio))
		return 0;
	return slept_to ? slept_to - slept_from : 0;
}
