// SPDX-License-Identifier: BSD-2-Clause
// Prints a line each second: it runs on, whatever becomes of the guest beside it.
#include <microkit.h>

#include <nacre/print.h>
#include <nacre/protocol/timer.h>

enum {
	TIMER = 1,
	SECOND = 1000000, // microseconds
};

static unsigned seconds;

static void wait_a_second(void) {
	microkit_mr_set(0, SECOND);
	if (microkit_msginfo_get_label(
		    microkit_ppcall(TIMER, microkit_msginfo_new(TIMER_SET_AFTER, 1))) != TIMER_OK)
		print("the timer driver refuses\n");
}

void init(void) { wait_a_second(); }

void notified(microkit_channel channel) {
	if (channel != TIMER) return;
	print("%u s\n", ++seconds);
	wait_a_second();
}
