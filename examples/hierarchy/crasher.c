// SPDX-License-Identifier: BSD-2-Clause
// Writes to an address it does not have.
#include <microkit.h>

void init(void) {
	microkit_dbg_puts("crasher, starting\n");
	microkit_internal_crash(seL4_NoError);
}

void notified(microkit_channel channel) { (void)channel; }
