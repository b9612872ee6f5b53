// SPDX-License-Identifier: BSD-2-Clause
// Calls and notifies a domain that was not started, then one that was.
#include <microkit.h>

enum {
	MISSING = 1,
	PEER = 2,
	PEER_LABEL = 5,
};

void init(void) {
	microkit_msginfo reply;

	microkit_notify(MISSING);
	reply = microkit_ppcall(MISSING, microkit_msginfo_new(0, 0));
	if (microkit_msginfo_get_label(reply) == seL4_InvalidCapability)
		microkit_dbg_puts("user: no answer\n");
	reply = microkit_ppcall(PEER, microkit_msginfo_new(0, 0));
	if (microkit_msginfo_get_label(reply) == PEER_LABEL)
		microkit_dbg_puts("user: the peer answers\n");
}

void notified(microkit_channel ch) { (void)ch; }
