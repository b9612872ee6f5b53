// SPDX-License-Identifier: BSD-2-Clause
// Crashes at the second call of each of its lives.
#include <microkit.h>

// Written by protected only.
static unsigned calls;

void init(void) { microkit_dbg_puts("server: start\n"); }

void notified(microkit_channel channel) { (void)channel; }

microkit_msginfo protected(microkit_channel, microkit_msginfo) {
	if (++calls == 2) microkit_internal_crash(seL4_NoError);
	return microkit_msginfo_new(7, 0);
}
