// SPDX-License-Identifier: BSD-2-Clause
// Counts its lives in memory that outlasts it, and crashes when a server notifies it.
#include <microkit.h>

volatile seL4_Word *lives;

void init(void) {
	++*lives;
	microkit_dbg_puts("parent: life ");
	microkit_dbg_put8((seL4_Uint8)*lives);
	microkit_dbg_puts("\n");
}

void notified(microkit_channel) { microkit_internal_crash(seL4_NoError); }
