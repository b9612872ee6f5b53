// SPDX-License-Identifier: BSD-2-Clause
// Frames that are not complete, on a link of the network: of several buffers, from honest ends and
// hostile ones, and after restarts.
#include "test.h"

#include <nacre/net/large.h>

#include <string.h>

enum { MOST = 33 }; // buffers of the largest frame

static struct net_link link;
static struct net_end station;
static struct net_end hub;
static struct net_frame frame;
static struct net_header left;

static const struct net_header tcp = {NET_NEEDS_CHECKSUM, NET_SEGMENTS_TCP4, 54, 1460, 34, 16};

static void open_link(void) {
	memset(&link, 0, sizeof(link));
	memset(&station, 0, sizeof(station));
	memset(&hub, 0, sizeof(hub));
	check(net_attach(&station, &link, NET_TO_SWITCH) &&
		net_attach(&hub, &link, NET_TO_STATION));
}

static int send(uint32_t length, uint8_t mark) {
	int buffer = net_take_run(&station.out, length);

	if (buffer == NET_NO_BUFFER) return buffer;
	memset(net_bytes(&station.out, (unsigned)buffer), mark, length);
	net_send_large(&station.out, (unsigned)buffer, &tcp, length);
	return buffer;
}

static bool receive(uint32_t length, uint8_t mark) {
	return net_receive_large(&hub.in, &frame, &left) && frame.length == length &&
		frame.bytes[0] == mark && frame.bytes[length - 1] == mark &&
		memcmp(&left, &tcp, sizeof(tcp)) == 0;
}

static void passes(void) {
	int small;

	open_link();
	for (unsigned i = 0; i < 100; i++) {
		check(send(NET_LARGE_MAX, (uint8_t)i) == NET_BUFFERS - MOST);
		// Another of that size has no room, single ones come from the other end.
		check(send(NET_LARGE_MAX, 0) == NET_NO_BUFFER);
		small = net_take(&station.out);
		check(small == 0);
		net_send(&station.out, 0, 60);
		check(send(NET_BUFFER_SIZE + 1, 7) == NET_BUFFERS - MOST - 2);
		check(receive(NET_LARGE_MAX, (uint8_t)i));
		net_return(&hub.in, frame.buffer);
		check(net_receive_large(&hub.in, &frame, &left) && frame.length == 60);
		check(net_needs(&left) == 0);
		net_return(&hub.in, frame.buffer);
		check(receive(NET_BUFFER_SIZE + 1, 7));
		net_return(&hub.in, frame.buffer);
		check(!net_receive_large(&hub.in, &frame, &left));
		net_reclaim(&station.out);
		check(station.out.free == ~0ul && station.out.in_flight == 0);
	}
}

// Buffers of one frame come back together, and not those of its neighbours.
static void returns(void) {
	open_link();
	check(send(3 * NET_BUFFER_SIZE, 1) == 61 && send(2 * NET_BUFFER_SIZE, 2) == 59 &&
		send(60, 3) == 0 && send(NET_BUFFER_SIZE, 4) == 1);
	for (unsigned i = 0; i < 4; i++)
		check(net_receive_large(&hub.in, &frame, &left));
	net_return(&hub.in, 59);
	net_reclaim(&station.out);
	check(station.out.in_flight == (7ul << 61 | 3));
	net_return(&hub.in, 62); // the middle of a frame
	net_return(&hub.in, 60);
	net_reclaim(&station.out);
	check(station.out.in_flight == (7ul << 61 | 3));
	net_return(&hub.in, 0);
	net_return(&hub.in, 61);
	net_reclaim(&station.out);
	check(station.out.in_flight == 2 && station.out.free == ~2ul);
}

// One who did not ask for them gets none, and gives the buffers back.
static void plain_receiver(void) {
	open_link();
	check(net_work_taken(&station.out) == 0);
	check(send(NET_LARGE_MAX, 1) >= 0 && send(60, 1) >= 0);
	check(!net_receive(&hub.in, &frame));
	net_reclaim(&station.out);
	check(station.out.in_flight == 0);
	net_take_work(&hub.in, NET_CHECKSUM | NET_TCP6);
	check(net_work_taken(&station.out) == (NET_CHECKSUM | NET_TCP6));
	check(net_attach(&hub, &link, NET_TO_STATION) && net_work_taken(&station.out) == 0);
}

static void put_item(uint32_t buffer, uint32_t length) {
	struct net_item item = {buffer, length};

	check(ring_put(&station.out.filled, &item));
}

static void hostile_sender(void) {
	open_link();
	memcpy(&link.headers[NET_TO_SWITCH][32], &tcp, sizeof(tcp));
	put_item(NET_BUFFERS, NET_UNFINISHED | 60);
	put_item(~0u, NET_UNFINISHED | 60);
	put_item(32, NET_UNFINISHED | NET_LARGE_MAX); // past the last buffer
	put_item(32, NET_UNFINISHED | (NET_LARGE_MAX + 1));
	put_item(32, ~0u);
	put_item(32, NET_UNFINISHED | (NET_FRAME_MIN - 1));
	put_item(32, NET_LARGE_MAX - 14); // complete
	put_item(33, NET_UNFINISHED | (NET_FRAME_MAX + 1)); // not to be cut
	check(!net_receive_large(&hub.in, &frame, &left));
	put_item(32, NET_UNFINISHED | 32 * NET_BUFFER_SIZE);
	check(net_receive_large(&hub.in, &frame, &left));
	check(frame.bytes + frame.length == (uint8_t *)&link.buffers[NET_TO_STATION]);
	put_item(33, NET_UNFINISHED | NET_FRAME_MAX);
	check(net_receive_large(&hub.in, &frame, &left) && net_needs(&left) == 0);
}

static void restarted_sender(void) {
	open_link();
	check(send(5 * NET_BUFFER_SIZE, 1) == 59 && send(9 * NET_BUFFER_SIZE, 2) == 50);
	check(receive(5 * NET_BUFFER_SIZE, 1));
	net_return(&hub.in, frame.buffer);
	memset(&station, 0, sizeof(station));
	check(net_attach(&station, &link, NET_TO_SWITCH));
	check(station.out.in_flight == 0x1fful << 50);
	check(receive(9 * NET_BUFFER_SIZE, 2));
	net_return(&hub.in, frame.buffer);
	net_reclaim(&station.out);
	check(station.out.free == ~0ul && station.out.in_flight == 0);
}

static void restarted_receiver(void) {
	open_link();
	check(send(5 * NET_BUFFER_SIZE, 1) == 59 && send(9 * NET_BUFFER_SIZE, 2) == 50);
	check(receive(5 * NET_BUFFER_SIZE, 1));
	memset(&hub, 0, sizeof(hub));
	check(net_attach(&hub, &link, NET_TO_STATION));
	net_reclaim(&station.out);
	check(station.out.in_flight == 0x1fful << 50 && station.out.free == ~(0x1fful << 50));
	check(receive(9 * NET_BUFFER_SIZE, 2));
}

static const struct test rows[] = {
	{"user/network/large", "frames of several buffers go with their headers", passes},
	{"user/network/large-returns", "the buffers of a frame come back together", returns},
	{"user/network/large-plain", "who takes complete frames only gets no others",
		plain_receiver},
	{"user/network/large-hostile", "no item leads outside the buffers, or past a limit",
		hostile_sender},
	{"user/network/large-restarted-sender", "a new sender knows the frames that wait",
		restarted_sender},
	{"user/network/large-restarted-receiver", "a new receiver returns the old one's frames",
		restarted_receiver},
};

const struct tests network_large_tests = {rows, array_count(rows)};
