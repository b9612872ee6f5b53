// SPDX-License-Identifier: BSD-2-Clause
// Says that it runs.
#include <microkit.h>

void init(void) {
	microkit_dbg_puts(microkit_name);
	microkit_dbg_puts(": runs\n");
}

void notified(microkit_channel channel) { (void)channel; }
