// SPDX-License-Identifier: BSD-2-Clause
// Sleeps a tenth of a second, five times, and checks that it was one.
#include <microkit.h>

#include <nacre/protocol/timer.h>
#include <nacre/tsc.h>

enum {
	TIMER = 1,
	SLEEPS = 5,
	SLEEPS_PER_SECOND = 10,
};

// Patched by the composer: the rate of the time stamp counter.
seL4_Word tsc_info_vaddr;

// Written by sleep_now and notified only.
static seL4_Word deadline;
static unsigned sleeps;

static void sleep_now(void) {
	deadline = tsc_read() + tsc_hertz(tsc_info_vaddr) / SLEEPS_PER_SECOND;
	microkit_mr_set(0, deadline);
	if (microkit_msginfo_get_label(
		    microkit_ppcall(TIMER, microkit_msginfo_new(TIMER_SET, 1))) != TIMER_OK)
		microkit_dbg_puts("sleeper: the timer refused\n");
}

void init(void) {
	microkit_dbg_puts("sleeper: going to sleep\n");
	sleep_now();
}

void notified(microkit_channel channel) {
	(void)channel;
	microkit_dbg_puts(
		tsc_read() < deadline ? "sleeper: woken too early\n" : "sleeper: awake\n");
	if (++sleeps < SLEEPS)
		sleep_now();
	else
		microkit_dbg_puts("sleeper: done\n");
}
