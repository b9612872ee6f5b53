// SPDX-License-Identifier: BSD-2-Clause
// The only way between two networks: takes each frame of one, and sends it to the other if it may
// pass. The guests share nothing else, so what is dropped here has not reached the other one.
#include <microkit.h>

#include "verdict.h"

#include <nacre/net/station.h>

enum {
	LEFT = 8, // channel; the other network's is the next one
};

// Patched by the composer: a link for each network, the page of counts, the port of UDP.
seL4_Word link_vaddr;
seL4_Word link1_vaddr;
seL4_Word counts_vaddr;
seL4_Word udp_port;

// Written by the functions of this file only; a component is one thread.
static struct station stations[SIDES];
static struct filter_counts *counts;
// The frame that is being judged: a copy that its sender can no longer change.
static uint8_t frame[NET_FRAME_MAX];

static void take(unsigned from) {
	unsigned to = SIDES - 1 - from;
	uint32_t length;

	while ((length = station_receive(&stations[from], frame)) > 0) {
		enum verdict verdict = verdict_on(frame, length, (uint16_t)udp_port);

		counts->frames[from][verdict]++;
		if (verdict < FIRST_DROP && !station_send(&stations[to], frame, length))
			counts->overflows[from]++;
	}
}

// All are asked, as each empty one has to be marked for notification.
static bool may_sleep(void) {
	bool idle = true;

	for (unsigned side = 0; side < SIDES; side++)
		idle &= station_may_sleep(&stations[side]);
	return idle;
}

static void serve(void) {
	do {
		for (unsigned side = 0; side < SIDES; side++)
			take(side);
		for (unsigned side = 0; side < SIDES; side++)
			station_flush(&stations[side]);
	} while (!may_sleep());
}

void init(void) {
	const seL4_Word links[SIDES] = {link_vaddr, link1_vaddr};

	counts = (struct filter_counts *)counts_vaddr;
	for (unsigned side = 0; side < SIDES; side++) {
		// Its port takes frames of any address, so there is none to ask the switch for.
		stations[side].channel = LEFT + side;
		if (!net_attach(&stations[side].end, (void *)links[side], NET_TO_SWITCH)) {
			microkit_dbg_puts("filter: the description has no link\n");
			microkit_internal_crash(0);
		}
	}
	serve();
}

void notified(microkit_channel) { serve(); }
