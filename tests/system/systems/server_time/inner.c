// SPDX-License-Identifier: BSD-2-Clause
// Has the outermost caller destroyed in the middle of a call.
#include <microkit.h>

enum {
	PARENT = 5,
};

volatile const seL4_Word *lives;

void init(void) {}

void notified(microkit_channel channel) { (void)channel; }

microkit_msginfo protected(microkit_channel, microkit_msginfo) {
	seL4_Word life = *lives;

	microkit_notify(PARENT);
	while (*lives == life)
		;
	microkit_dbg_puts("inner: done\n");
	return microkit_msginfo_new(0, 0);
}
