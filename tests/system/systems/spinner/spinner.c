// SPDX-License-Identifier: BSD-2-Clause
// Spins for ever once it is notified.
#include <microkit.h>

void init(void) {}

void notified(microkit_channel) {
	microkit_dbg_puts("spinner: spins\n");
	for (;;)
		__asm__ volatile("");
}
