// SPDX-License-Identifier: BSD-2-Clause
// Answers each notification with one.
#include <microkit.h>

void init(void) { microkit_dbg_puts("|secondary| hello, world\n"); }

void notified(microkit_channel channel) {
	microkit_dbg_puts("|secondary| notified\n");
	microkit_notify(channel);
}
