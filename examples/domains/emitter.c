// SPDX-License-Identifier: BSD-2-Clause
// Notifies far more often than the other side can check.
#include <microkit.h>

#define EVENTS 100000
#define EVENTS_PER_LINE 10000

void init(void) {
	microkit_dbg_puts("emitter: starting to emit events...\n");
	for (unsigned i = 0; i < EVENTS; i++) {
		if (i % EVENTS_PER_LINE == 0)
			microkit_dbg_puts("emitter: still emitting events...\n");
		microkit_notify(0);
	}
	microkit_dbg_puts("emitter: done emitting events\n");
}

void notified(microkit_channel channel) { (void)channel; }
