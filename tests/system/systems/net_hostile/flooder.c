// SPDX-License-Identifier: BSD-2-Clause
// Sends as fast as it can: frames for all, for the host, with forged sources, and items that name
// no buffer or no length. Reads nothing. Prints that it still runs, ever more rarely: its line cuts
// into those of components of lower priority.
#include <nacre/net/station.h>

enum {
	SWITCH = 1,
	TELL_FIRST = 5000,
};

// Patched by the composer.
uint64_t link_vaddr;

static struct station station;

static void send(unsigned round) {
	static uint8_t frame[NET_FRAME_MAX];

	for (unsigned i = 0; i < NET_MAC_BYTES; i++) {
		frame[i] = 0xff;
		frame[NET_MAC_BYTES + i] = station.mac[i];
	}
	if (round % 4 == 1) __builtin_memcpy(frame, "\x52\x54\0\0\0\x01", NET_MAC_BYTES);
	if (round % 4 == 2) frame[NET_MAC_BYTES + 5] ^= 1;
	(void)station_send(&station, frame, round % 4 == 3 ? NET_FRAME_MAX : 60);
}

static void send_garbage(unsigned round) {
	struct net_item item = {round * 2654435761u, round * 40503u};

	(void)ring_put(&station.end.out.filled, &item);
	// One that may look right, though the buffer was never sent.
	item.buffer = round % NET_BUFFERS;
	item.length %= NET_BUFFER_SIZE;
	(void)ring_put(&station.end.out.filled, &item);
	(void)ring_put(&station.end.in.returned, &item);
}

void init(void) {
	unsigned next_telling = TELL_FIRST;

	if (!station_open(&station, SWITCH, link_vaddr)) return;
	for (unsigned round = 1;; round++) {
		send(round);
		if (round % 7 == 0) send_garbage(round);
		if (round % 16 == 0) microkit_notify(SWITCH);
		if (round == next_telling) {
			microkit_dbg_puts("flooder: still at it\n");
			next_telling *= 2;
		}
	}
}

void notified(microkit_channel channel) { (void)channel; }
