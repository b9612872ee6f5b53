// SPDX-License-Identifier: BSD-2-Clause
// Notifies a channel it does not have.
#include <microkit.h>

void init(void) {
	microkit_dbg_puts("capfault: notifying a channel that does not exist\n");
	microkit_notify(10000);
	microkit_dbg_puts("capfault: still here\n");
}

void notified(microkit_channel channel) { (void)channel; }
