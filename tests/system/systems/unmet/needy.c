// SPDX-License-Identifier: BSD-2-Clause
// Must never run: its domain needs what the machine does not have.
#include <microkit.h>

void init(void) {
	microkit_dbg_puts(microkit_name);
	microkit_dbg_puts(": runs without what it needs\n");
}

void notified(microkit_channel ch) { (void)ch; }
