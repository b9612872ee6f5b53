// SPDX-License-Identifier: BSD-2-Clause
// Receives the faults of its children. Nine times it restarts the crashed one from its first
// instruction; then it stops it.
#include <microkit.h>

#define CHILD_ENTRY 0x200000
#define RESTARTS 9

// Written by fault only.
static unsigned faults;

void init(void) { microkit_dbg_puts("restarter: starting\n"); }

void notified(microkit_channel channel) { (void)channel; }

seL4_Bool fault(microkit_child child, microkit_msginfo message, microkit_msginfo *reply) {
	(void)message;
	(void)reply;
	microkit_dbg_puts("restarter: received fault message for child pd: ");
	microkit_dbg_put32(child);
	microkit_dbg_putc('\n');
	faults++;
	if (faults <= RESTARTS) {
		microkit_pd_restart(child, CHILD_ENTRY);
		microkit_dbg_puts("restarter: restarted\n");
	} else {
		microkit_pd_stop(child);
		microkit_dbg_puts("restarter: too many restarts - PD stopped\n");
	}
	return seL4_False;
}
