// SPDX-License-Identifier: BSD-2-Clause
// Calls the server once in each life.
#include <microkit.h>

void init(void) {
	microkit_dbg_puts("kid: calls\n");
	microkit_ppcall(1, microkit_msginfo_new(0, 0));
	microkit_dbg_puts("kid: answered\n");
}

void notified(microkit_channel channel) { (void)channel; }
