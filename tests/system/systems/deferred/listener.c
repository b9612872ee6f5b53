// SPDX-License-Identifier: BSD-2-Clause
// Says which notifications have come; two at a time come in one event, the lowest channel first.
#include <microkit.h>

// Written by notified only.
static unsigned seen;

void init(void) { microkit_dbg_puts("listener: ready\n"); }

void notified(microkit_channel channel) {
	microkit_dbg_puts("listener: ");
	microkit_dbg_put32(channel);
	microkit_dbg_putc('\n');
	if (++seen != 2) return;
	if (microkit_msginfo_get_label(microkit_ppcall(3, microkit_msginfo_new(4, 0))) == 5)
		microkit_dbg_puts("listener: answered\n");
}
