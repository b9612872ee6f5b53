// SPDX-License-Identifier: BSD-2-Clause
// Prints a line whenever it finds that events have arrived.
#include <microkit.h>

void init(void) { microkit_dbg_puts("collector: Waiting for an event\n"); }

void notified(microkit_channel channel) {
	(void)channel;
	microkit_dbg_puts("collector: Got an event\n");
}
