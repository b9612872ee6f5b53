// SPDX-License-Identifier: BSD-2-Clause
// Calls the server whenever it has started, until the server crashes under the call.
#include <microkit.h>

#define SERVER 0
#define CALLS 5

// Patched by the composer.
seL4_Word shared_vaddr;

static int call_once(void) {
	microkit_msginfo reply = microkit_ppcall(SERVER, microkit_msginfo_new(0, 0));

	if (microkit_msginfo_get_label(reply) == NACRE_REPLY_RESTARTED) {
		microkit_dbg_puts("client: the server was restarted\n");
		return 0;
	}
	microkit_dbg_puts("client: answer ");
	microkit_dbg_put32((seL4_Uint32)microkit_mr_get(0));
	microkit_dbg_putc('\n');
	return 1;
}

void init(void) { microkit_dbg_puts("client: ready\n"); }

void notified(microkit_channel channel) {
	(void)channel;
	for (int i = 0; i < CALLS && call_once(); i++)
		;
}
