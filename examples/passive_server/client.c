// SPDX-License-Identifier: BSD-2-Clause
// Calls the passive server once.
#include <microkit.h>

void init(void) {
	microkit_dbg_puts("CLIENT|INFO: init function running\n");
	microkit_mr_set(0, 42);
	microkit_ppcall(0, microkit_msginfo_new(1, 1));
}

void notified(microkit_channel channel) {
	(void)channel;
	microkit_dbg_puts("CLIENT|ERROR: unexpected notification\n");
}
