// SPDX-License-Identifier: BSD-2-Clause
// Links of the network: two honest ends, a hostile one, and restarts of either.
#include "test.h"

#include <nacre/net/end.h>
#include <string.h>

static struct net_link link;
static struct net_end station;
static struct net_end hub;

static void open_link(void) {
	memset(&link, 0, sizeof(link));
	memset(&station, 0, sizeof(station));
	memset(&hub, 0, sizeof(hub));
	check(net_attach(&station, &link, NET_TO_SWITCH) &&
		net_attach(&hub, &link, NET_TO_STATION));
}

static bool send(struct net_end *end, uint8_t mark) {
	int buffer = net_take(&end->out);

	if (buffer == NET_NO_BUFFER) return false;
	memset((*end->out.buffers)[buffer], mark, NET_FRAME_MIN);
	net_send(&end->out, (unsigned)buffer, NET_FRAME_MIN);
	return true;
}

static bool receive(struct net_end *end, uint8_t mark) {
	struct net_frame frame;

	if (!net_receive(&end->in, &frame)) return false;
	check(frame.length == NET_FRAME_MIN && frame.bytes[0] == mark);
	net_return(&end->in, frame.buffer);
	return true;
}

static unsigned send_all(struct net_end *end) {
	unsigned count = 0;

	while (send(end, (uint8_t)count))
		count++;
	return count;
}

static void both_ways(void) {
	open_link();
	for (unsigned i = 0; i < 1000; i++) {
		check(send(&station, (uint8_t)i) && send(&hub, (uint8_t)~i));
		check(receive(&hub, (uint8_t)i) && receive(&station, (uint8_t)~i));
		check(!receive(&hub, 0) && !receive(&station, 0));
	}
}

static void full(void) {
	open_link();
	check(send_all(&station) == NET_BUFFERS);
	for (unsigned i = 0; i < NET_BUFFERS; i++)
		check(receive(&hub, (uint8_t)i));
	check(!receive(&hub, 0) && send_all(&station) == NET_BUFFERS);
}

// The peer is notified when it sleeps and there is something for it, and only then.
static void notified(void) {
	open_link();
	check(!net_must_notify(&station) && !net_must_notify(&hub));
	check(send(&station, 1) && net_must_notify(&station) && !net_must_notify(&station));
	check(send(&station, 2) && !net_must_notify(&station));
	check(receive(&hub, 1) && receive(&hub, 2) && ring_may_sleep(&hub.in.filled));
	check(net_must_notify(&hub)); // the first buffers that come back
	check(send(&station, 3) && net_must_notify(&station));
	check(!ring_may_sleep(&hub.in.filled) && receive(&hub, 3) && !net_must_notify(&hub));
	check(ring_may_sleep(&station.out.returned) == false);
	net_reclaim(&station.out);
	check(ring_may_sleep(&station.out.returned) && send(&station, 4) && receive(&hub, 4));
	check(net_must_notify(&hub));
}

static void put_item(struct net_end *end, uint32_t buffer, uint32_t length) {
	struct net_item item = {buffer, length};

	check(ring_put(&end->out.filled, &item));
}

static void hostile_sender(void) {
	struct net_frame frame;

	open_link();
	put_item(&station, NET_BUFFERS, 60);
	put_item(&station, ~0u, 60);
	put_item(&station, 0, NET_FRAME_MAX + 1);
	put_item(&station, 1, ~0u);
	put_item(&station, 2, NET_FRAME_MIN - 1);
	check(!net_receive(&hub.in, &frame));
	put_item(&station, NET_BUFFERS - 1, NET_FRAME_MAX);
	check(net_receive(&hub.in, &frame) && frame.buffer == NET_BUFFERS - 1 &&
		frame.bytes + frame.length <= (uint8_t *)(&link + 1));
}

static void give_back(uint32_t buffer) {
	struct net_item item = {.buffer = buffer};

	check(ring_put(&hub.in.returned, &item));
}

static void hostile_receiver(void) {
	int taken;

	open_link();
	taken = net_take(&station.out);
	check(taken >= 0 && send(&station, 1));
	// Buffers that were never sent, or are no buffers, or come back twice.
	give_back((uint32_t)taken);
	give_back(NET_BUFFERS);
	give_back(~0u);
	for (unsigned i = 0; i < NET_BUFFERS - 3; i++)
		give_back(i);
	net_reclaim(&station.out);
	check(station.out.free == ~(1ul << taken) && station.out.in_flight == 0);
	check(send_all(&station) == NET_BUFFERS - 1);
}

static void restarted_sender(void) {
	open_link();
	for (unsigned i = 0; i < 10; i++)
		check(send(&station, (uint8_t)i));
	check(receive(&hub, 0));
	memset(&station, 0, sizeof(station));
	check(net_attach(&station, &link, NET_TO_SWITCH));
	// The nine in the ring are still their previous owner's, and arrive unchanged.
	check(send_all(&station) == NET_BUFFERS - 9);
	for (unsigned i = 1; i < 10; i++)
		check(receive(&hub, (uint8_t)i));
	net_reclaim(&station.out);
	check(__builtin_popcountl(station.out.free) == 9);
}

static void restarted_receiver(void) {
	struct net_frame frame;

	open_link();
	for (unsigned i = 0; i < 30; i++)
		check(send(&station, (uint8_t)i));
	check(receive(&hub, 0) && receive(&hub, 1));
	for (unsigned i = 0; i < 8; i++)
		check(net_receive(&hub.in, &frame));
	memset(&hub, 0, sizeof(hub));
	check(net_attach(&hub, &link, NET_TO_STATION) && net_must_notify(&hub));
	for (unsigned i = 10; i < 30; i++)
		check(receive(&hub, (uint8_t)i));
	// The eight that the old one held came back too.
	net_reclaim(&station.out);
	check(station.out.free == ~0ul && station.out.in_flight == 0);
}

static const struct test rows[] = {
	{"user/network/both-ways", "frames go both ways in order", both_ways},
	{"user/network/full", "a sender without buffers waits until some come back", full},
	{"user/network/notified", "a sleeping peer is notified once, and never for nothing",
		notified},
	{"user/network/hostile-sender", "no item leads outside the buffers", hostile_sender},
	{"user/network/hostile-receiver", "only sent buffers come back, each once",
		hostile_receiver},
	{"user/network/restarted-sender", "a new sender leaves what waits alone", restarted_sender},
	{"user/network/restarted-receiver", "a new receiver returns what the old one held",
		restarted_receiver},
};

const struct tests network_tests = {rows, array_count(rows)};
