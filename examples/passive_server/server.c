// SPDX-License-Identifier: BSD-2-Clause
// A passive server: after init it only runs when a client calls.
#include <microkit.h>

void init(void) { microkit_dbg_puts("SERVER|INFO: init function running\n"); }

void notified(microkit_channel channel) {
	(void)channel;
	microkit_dbg_puts("SERVER|ERROR: unexpected notification\n");
}

microkit_msginfo protected(microkit_channel channel, microkit_msginfo request) {
	if (channel != 0 || microkit_msginfo_get_label(request) != 1)
		microkit_dbg_puts("SERVER|ERROR: unexpected request\n");
	else
		microkit_dbg_puts("SERVER|INFO: running on clients scheduling context\n");
	return microkit_msginfo_new(0, 0);
}
