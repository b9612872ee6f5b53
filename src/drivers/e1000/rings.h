// SPDX-License-Identifier: BSD-2-Clause
// The card's two rings of descriptors. The card writes them, so only "done" and a length are read
// from them, and the meaning of each entry is kept here. Pure.
#pragma once

#include <stdbool.h>

#include <drivers/e1000/registers.h>

enum {
	E1000_DESCRIPTORS = 64, // the card's own head and tail would be equal with all in use
	E1000_IN_USE = E1000_DESCRIPTORS - 1,
};

struct e1000_receive {
	struct e1000_receive_descriptor *descriptors;
	unsigned next; // the oldest that the card has not finished
	unsigned tail; // the first that the card may not use
	uint8_t buffers[E1000_DESCRIPTORS];
	bool in_long_frame; // parts of a frame that takes several buffers are dropped
};

struct e1000_transmit {
	struct e1000_transmit_descriptor *descriptors;
	unsigned next;
	unsigned tail;
	uint8_t buffers[E1000_DESCRIPTORS];
};

// Descriptors the card has.
static inline unsigned e1000_receive_count(const struct e1000_receive *ring) {
	return (ring->tail - ring->next) % E1000_DESCRIPTORS;
}

static inline unsigned e1000_transmit_count(const struct e1000_transmit *ring) {
	return (ring->tail - ring->next) % E1000_DESCRIPTORS;
}

// Give the card a buffer to receive a frame; the caller knows that fewer than E1000_IN_USE are.
void e1000_receive_add(struct e1000_receive *ring, unsigned buffer, uint64_t address);

// Take back the oldest buffer once the card is done with it. A length of 0: there is no usable
// frame in it.
[[nodiscard]] bool e1000_receive_take(
	struct e1000_receive *ring, unsigned *buffer, unsigned *length);

// Give the card a frame to send; the caller knows that fewer than E1000_IN_USE wait.
void e1000_transmit_add(
	struct e1000_transmit *ring, unsigned buffer, uint64_t address, unsigned length);

// Take back the oldest buffer once it was sent.
[[nodiscard]] bool e1000_transmit_take(struct e1000_transmit *ring, unsigned *buffer);
