// SPDX-License-Identifier: BSD-2-Clause
// Counts calls and crashes at the third. After a restart its variables and its private memory have
// their initial contents; the memory it shares with the client is not touched.
#include <microkit.h>

#define CALLS_BEFORE_CRASH 3

// Patched by the composer.
seL4_Word shared_vaddr;
seL4_Word private_vaddr;

// Written by protected only.
static seL4_Word calls;

static __attribute__((noinline)) void crash_now(void) {
	microkit_internal_crash(seL4_NotEnoughMemory);
}

void init(void) {
	volatile seL4_Word *starts = (volatile seL4_Word *)shared_vaddr;
	volatile seL4_Word *private = (volatile seL4_Word *)private_vaddr;

	++*starts;
	microkit_dbg_puts("server: start ");
	microkit_dbg_put32((seL4_Uint32)*starts);
	microkit_dbg_puts(*private || calls ? ", memory is stale\n" : ", memory is new\n");
	*private = 1;
	microkit_notify(7);
}

void notified(microkit_channel channel) { (void)channel; }

microkit_msginfo protected(microkit_channel channel, microkit_msginfo request) {
	(void)channel;
	(void)request;
	if (++calls == CALLS_BEFORE_CRASH) crash_now();
	microkit_mr_set(0, calls);
	return microkit_msginfo_new(0, 1);
}
