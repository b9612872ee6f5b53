// SPDX-License-Identifier: BSD-2-Clause
// Shows five times what the clients count, and where they are, and then whether all of them have
// counted all the time.
#include <microkit.h>

#include "count.h"

#include <nacre/print.h>
#include <nacre/protocol/timer.h>

enum {
	TIMER = 1,
	CORES = 4, // a client on each; one more calls from core to core
	CLIENTS = CORES + 1,
	INTERVAL = 100000, // microseconds
	LINES = 5,
};

// Patched by the composer: the pages of the clients.
seL4_Word count0_vaddr;
seL4_Word count1_vaddr;
seL4_Word count2_vaddr;
seL4_Word count3_vaddr;
seL4_Word count_across_vaddr;

// Written by the functions of this file only; a component is one thread.
static uint64_t shown[CLIENTS];
static unsigned lines;
static bool has_failed;

static void sleep_now(void) {
	microkit_mr_set(0, INTERVAL);
	if (microkit_msginfo_get_label(
		    microkit_ppcall(TIMER, microkit_msginfo_new(TIMER_SET_AFTER, 1))) != TIMER_OK)
		print("the timer refused\n");
}

static void check(unsigned client, const struct count *seen) {
	bool stands = seen->calls == shown[client];

	if (stands) print("client %u stands still\n", client);
	if (seen->wrong > 0) print("client %u had %lu wrong answers\n", client, seen->wrong);
	has_failed |= stands || seen->wrong > 0;
	shown[client] = seen->calls;
}

static void show(void) {
	const seL4_Word pages[CLIENTS] = {
		count0_vaddr, count1_vaddr, count2_vaddr, count3_vaddr, count_across_vaddr};
	struct count seen[CLIENTS];

	for (unsigned i = 0; i < CLIENTS; i++) {
		seen[i] = *(const volatile struct count *)pages[i];
		check(i, &seen[i]);
	}
	print("calls at APIC id %lu: %lu, at %lu: %lu, at %lu: %lu, at %lu: %lu; across: %lu\n",
		seen[0].apic_id, seen[0].calls, seen[1].apic_id, seen[1].calls, seen[2].apic_id,
		seen[2].calls, seen[3].apic_id, seen[3].calls, seen[CORES].calls);
}

void init(void) { sleep_now(); }

void notified(microkit_channel channel) {
	(void)channel;
	show();
	if (++lines < LINES)
		sleep_now();
	else
		print(has_failed ? "some have not counted\n" : "all have counted\n");
}
