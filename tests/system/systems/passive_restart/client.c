// SPDX-License-Identifier: BSD-2-Clause
// Six calls, every second of which finds the server crashing.
#include <microkit.h>

void init(void) {
	for (int i = 0; i < 6; i++) {
		microkit_msginfo reply = microkit_ppcall(1, microkit_msginfo_new(0, 0));

		microkit_dbg_puts(microkit_msginfo_get_label(reply) == NACRE_REPLY_RESTARTED
				? "client: restarted\n"
				: "client: answered\n");
	}
	microkit_dbg_puts("client: done\n");
}

void notified(microkit_channel channel) { (void)channel; }
