// SPDX-License-Identifier: BSD-2-Clause
// The first caller is destroyed while this server works, the second while it waits for another.
#include <microkit.h>

enum {
	INNER = 3,
	PARENT = 7,
};

volatile const seL4_Word *lives;

void init(void) {}

void notified(microkit_channel channel) { (void)channel; }

microkit_msginfo protected(microkit_channel, microkit_msginfo) {
	seL4_Word life = *lives;

	if (life == 1) {
		microkit_notify(PARENT);
		while (*lives == life)
			;
	} else if (life == 2) {
		microkit_ppcall(INNER, microkit_msginfo_new(0, 0));
	}
	microkit_dbg_puts("server: done\n");
	return microkit_msginfo_new(0, 0);
}
