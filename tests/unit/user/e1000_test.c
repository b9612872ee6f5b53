// SPDX-License-Identifier: BSD-2-Clause
// The network card's descriptors, with a card that keeps the rules and one that does not.
#include "test.h"

#include <drivers/e1000/rings.h>
#include <nacre/protocol/net.h>
#include <string.h>

static struct e1000_receive_descriptor received[E1000_DESCRIPTORS];
static struct e1000_transmit_descriptor transmitted[E1000_DESCRIPTORS];

static struct e1000_receive receive_ring(void) {
	memset(received, 0, sizeof(received));
	return (struct e1000_receive){.descriptors = received};
}

struct frame {
	unsigned buffer;
	unsigned length;
};

static bool taken(struct e1000_receive *ring, struct frame *frame) {
	return e1000_receive_take(ring, &frame->buffer, &frame->length);
}

static void card_fills(unsigned place, unsigned length, unsigned status) {
	received[place].length = (uint16_t)length;
	received[place].status = (uint8_t)status;
}

static void receive_order(void) {
	struct e1000_receive ring = receive_ring();
	struct frame frame;

	for (unsigned i = 0; i < 1000; i++) {
		unsigned place = ring.tail;

		e1000_receive_add(&ring, i % NET_BUFFERS, 0x1000 + i);
		check(received[place].address == 0x1000 + i && received[place].status == 0);
		check(!taken(&ring, &frame));
		card_fills(place, 60 + i % 1000, RECEIVE_DONE | RECEIVE_END);
		check(taken(&ring, &frame));
		check(frame.buffer == i % NET_BUFFERS && frame.length == 60 + i % 1000);
		check(!taken(&ring, &frame));
	}
}

static void receive_full(void) {
	struct e1000_receive ring = receive_ring();
	struct frame frame;

	for (unsigned i = 0; i < E1000_IN_USE; i++)
		e1000_receive_add(&ring, i, i);
	check(e1000_receive_count(&ring) == E1000_IN_USE);
	for (unsigned i = 0; i < E1000_DESCRIPTORS; i++)
		card_fills(i, 100, RECEIVE_DONE | RECEIVE_END);
	for (unsigned i = 0; i < E1000_IN_USE; i++)
		check(taken(&ring, &frame) && frame.buffer == i);
	// The last descriptor was never the card's, whatever it says.
	check(!taken(&ring, &frame) && e1000_receive_count(&ring) == 0);
}

static unsigned length_taken(struct e1000_receive *ring, unsigned length, unsigned status) {
	struct frame frame = {0};
	unsigned place = ring->tail;

	e1000_receive_add(ring, 5, 0);
	card_fills(place, length, status);
	// What the card writes beside status and length has no meaning for us.
	received[place].address = ~0ul;
	check(taken(ring, &frame) && frame.buffer == 5);
	return frame.length;
}

static void receive_lies(void) {
	struct e1000_receive ring = receive_ring();
	unsigned whole = RECEIVE_DONE | RECEIVE_END;

	check(length_taken(&ring, NET_FRAME_MAX, whole) == NET_FRAME_MAX);
	check(length_taken(&ring, NET_FRAME_MAX + 1, whole) == 0);
	check(length_taken(&ring, 0xffff, whole) == 0);
	check(length_taken(&ring, NET_FRAME_MIN, whole) == NET_FRAME_MIN);
	check(length_taken(&ring, NET_FRAME_MIN - 1, whole) == 0);
	check(length_taken(&ring, 0, whole) == 0);
	// Three parts of one long frame, then a whole one.
	check(length_taken(&ring, 1000, RECEIVE_DONE) == 0);
	check(length_taken(&ring, 1000, RECEIVE_DONE) == 0);
	check(length_taken(&ring, 1000, whole) == 0);
	check(length_taken(&ring, 1000, whole) == 1000);
}

static void receive_errors(void) {
	struct e1000_receive ring = receive_ring();
	struct frame frame;

	e1000_receive_add(&ring, 0, 0);
	card_fills(0, 100, RECEIVE_DONE | RECEIVE_END);
	received[0].errors = 1;
	check(taken(&ring, &frame) && frame.length == 0);
}

static void transmit(void) {
	struct e1000_transmit ring = {.descriptors = transmitted};
	unsigned buffer;

	memset(transmitted, 0xff, sizeof(transmitted));
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < E1000_IN_USE; i++)
			e1000_transmit_add(&ring, i, i * 2048, 60 + i);
		check(e1000_transmit_count(&ring) == E1000_IN_USE);
		check(!e1000_transmit_take(&ring, &buffer));
		// The card may finish out of order; it is believed in order.
		transmitted[(ring.next + 1) % E1000_DESCRIPTORS].status = TRANSMIT_DONE;
		check(!e1000_transmit_take(&ring, &buffer));
		for (unsigned i = 0; i < E1000_IN_USE; i++) {
			struct e1000_transmit_descriptor *each = &transmitted[ring.next];

			check(each->address == i * 2048 && each->length == 60 + i &&
				each->command ==
					(TRANSMIT_END | TRANSMIT_ADD_CHECKSUM | TRANSMIT_REPORT));
			each->status = TRANSMIT_DONE;
			check(e1000_transmit_take(&ring, &buffer) && buffer == i);
		}
		check(!e1000_transmit_take(&ring, &buffer));
	}
}

static const struct test rows[] = {
	{"user/e1000/receive-order", "buffers come back in order with their lengths",
		receive_order},
	{"user/e1000/receive-full", "a full ring gives back what it had and no more", receive_full},
	{"user/e1000/receive-lies", "no length of the card's leads beyond a frame", receive_lies},
	{"user/e1000/receive-errors", "a frame with an error is none", receive_errors},
	{"user/e1000/transmit", "a frame's buffer comes back once the card has sent it", transmit},
};

const struct tests e1000_tests = {rows, array_count(rows)};
