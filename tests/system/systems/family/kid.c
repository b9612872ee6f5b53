// SPDX-License-Identifier: BSD-2-Clause
// Executes an invalid instruction, and says when it got past it.
#include <microkit.h>

void init(void) {
	microkit_dbg_puts("kid: start\n");
	__asm__ volatile("ud2");
	microkit_dbg_puts("kid: resumed\n");
	microkit_notify(9);
}

void notified(microkit_channel channel) { (void)channel; }
