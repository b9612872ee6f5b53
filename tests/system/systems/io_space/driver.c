// SPDX-License-Identifier: BSD-2-Clause
// Has a buffer that a device may share.
#include <microkit.h>

void init(void) {
	*(volatile seL4_Word *)0x20000000 = 1;
	microkit_dbg_puts("driver: runs\n");
}

void notified(microkit_channel channel) { (void)channel; }
