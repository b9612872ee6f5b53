// SPDX-License-Identifier: BSD-2-Clause
// One of many clients of the timer driver: three sleeps of a time that its name decides.
#include <microkit.h>

#include <nacre/protocol/timer.h>

enum {
	TIMER = 1,
	SLEEPS = 3,
	STEP_MICROSECONDS = 700,
};

// Written by init and notified only.
static seL4_Word microseconds;
static seL4_Word earliest;
static unsigned sleeps;

static void say(const char *text) {
	microkit_dbg_puts(microkit_name);
	microkit_dbg_puts(text);
}

static seL4_Word ask(enum timer_request request, seL4_Word word) {
	microkit_mr_set(0, word);
	return microkit_msginfo_get_label(microkit_ppcall(TIMER, microkit_msginfo_new(request, 1)));
}

// The TSC's value, and by its rate the one at which the sleep may end.
static void sleep_now(void) {
	if (ask(TIMER_NOW, 0) != TIMER_OK) say(": refused\n");
	earliest = microkit_mr_get(0) + microseconds * microkit_mr_get(2) / 1000000;
	if (ask(TIMER_SET_AFTER, microseconds) != TIMER_OK) say(": refused\n");
}

void init(void) {
	for (const char *digit = microkit_name + 1; *digit; digit++)
		microseconds = microseconds * 10 + (seL4_Word)(*digit - '0');
	microseconds = (microseconds + 1) * STEP_MICROSECONDS;
	if (ask(TIMER_CANCEL, 0) != TIMER_OK || ask(99, 0) != TIMER_BAD_REQUEST ||
		microkit_msginfo_get_label(microkit_ppcall(
			TIMER, microkit_msginfo_new(TIMER_SET, 0))) != TIMER_BAD_REQUEST)
		say(": wrong answer\n");
	sleep_now();
}

void notified(microkit_channel) {
	ask(TIMER_NOW, 0);
	if (microkit_mr_get(0) < earliest) say(": woken too early\n");
	if (++sleeps < SLEEPS)
		sleep_now();
	else
		say(": slept\n");
}
