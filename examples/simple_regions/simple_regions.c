// SPDX-License-Identifier: BSD-2-Clause
// Writes to both of its regions, over the border between them.
#include <microkit.h>

void init(void) {
	for (seL4_Word address = 0x400000; address < 0x601000; address += 0x800)
		*(volatile seL4_Word *)address = address;
	microkit_dbg_puts("both regions written\n");
}

void notified(microkit_channel channel) { (void)channel; }
