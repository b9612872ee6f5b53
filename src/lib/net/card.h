// SPDX-License-Identifier: BSD-2-Clause
// Common to the drivers of network cards: a station of the switch that forwards the frames of the
// wire. The link's buffers are passed to the card without copies.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <microkit.h>

#include <nacre/protocol/net.h>

// Channels of every such driver.
enum {
	CARD_CHANNEL_PCI = 1,
	CARD_CHANNEL_SWITCH = 2,
	CARD_CHANNEL_IRQ = 3, // and those above: the pins that the card's line may be wired to
};

// Of a lane, NET_TO_SWITCH are buffers into which the card receives, NET_TO_STATION those that it
// sends.
struct card {
	unsigned most; // buffers of a lane that it can have at a time
	// Once, before all else: whether the card is there and has been started; says why not.
	bool (*open)(void);
	// Buffers of the lane that it has; `most` when it works no more.
	unsigned (*count)(enum net_direction lane);
	// One more, at that physical address; `length` is that of the frame in it, or of the
	// buffer.
	void (*give)(enum net_direction lane, unsigned buffer, uint64_t paddr, unsigned length);
	// It may look at those that it was given.
	void (*announce)(enum net_direction lane);
	// One that it has done with. A received frame has a length that the link allows; 0: there
	// is none in the buffer.
	bool (*take)(enum net_direction lane, unsigned *buffer, unsigned *length);
	// Its line is inactive afterwards.
	void (*interrupt)(void);
	// Whether it had to be started anew: what it had comes back. Null: it never has.
	bool (*mend)(void);
};

// From `init` of the driver; its `notified` is here.
void card_start(const struct card *driven);

void card_print_mac(const uint8_t mac[NET_MAC_BYTES]);
