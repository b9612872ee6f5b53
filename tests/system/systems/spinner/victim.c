// SPDX-License-Identifier: BSD-2-Clause
// Waits until its budget was used up once and others ran, starts the spinner, and faults.
#include <microkit.h>

enum {
	GAP_TICKS = 1000000, // more than any interruption but the end of the budget takes
};

static seL4_Word ticks(void) {
	seL4_Word low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return high << 32 | low;
}

void init(void) {
	seL4_Word last = ticks();

	for (;;) {
		seL4_Word now = ticks();

		if (now - last > GAP_TICKS) break;
		last = now;
	}
	microkit_dbg_puts("victim: faults\n");
	microkit_notify(0);
	*(volatile int *)0x20 = 1;
}

void notified(microkit_channel ch) { (void)ch; }
