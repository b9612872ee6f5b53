// SPDX-License-Identifier: BSD-2-Clause
// Says that it runs, and no more.
#include <microkit.h>

uint64_t settings_vaddr __attribute__((section(".data")));

void init(void) {
	microkit_dbg_puts(microkit_name);
	microkit_dbg_puts(": runs\n");
}

void notified(microkit_channel channel) { (void)channel; }
