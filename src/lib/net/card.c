// SPDX-License-Identifier: BSD-2-Clause
// Moves buffers between the link to the switch and a card.
#include <lib/net/card.h>

#include <nacre/net/end.h>
#include <nacre/print.h>

// Patched by the composer.
uint64_t link_vaddr __attribute__((section(".data")));
uint64_t link_paddr __attribute__((section(".data")));

// State of the driver; one thread, written by the functions of this file only.
static const struct card *card; // null until it works
static struct net_end end;

static void give(enum net_direction lane, unsigned buffer, unsigned length) {
	uint64_t paddr = link_paddr + offsetof(struct net_link, buffers) +
		lane * sizeof(net_buffers) + (uint64_t)buffer * NET_BUFFER_SIZE;

	card->give(lane, buffer, paddr, length);
}

// Returned buffers go to the card.
static void refill(void) {
	bool was_given = false;

	while (card->count(NET_TO_SWITCH) < card->most) {
		int buffer = net_take(&end.out);

		if (buffer == NET_NO_BUFFER) break;
		give(NET_TO_SWITCH, (unsigned)buffer, NET_BUFFER_SIZE);
		was_given = true;
	}
	if (was_given) card->announce(NET_TO_SWITCH);
}

static void receive(void) {
	unsigned buffer;
	unsigned length;

	while (card->take(NET_TO_SWITCH, &buffer, &length)) {
		if (length > 0)
			net_send(&end.out, buffer, length);
		else
			net_untake(&end.out, buffer);
	}
}

static void return_sent(void) {
	unsigned buffer;
	unsigned length;

	while (card->take(NET_TO_STATION, &buffer, &length))
		net_return(&end.in, buffer);
}

static void transmit(void) {
	bool was_given = false;
	struct net_frame frame;

	while (card->count(NET_TO_STATION) < card->most && net_receive(&end.in, &frame)) {
		give(NET_TO_STATION, frame.buffer, frame.length);
		was_given = true;
	}
	if (was_given) card->announce(NET_TO_STATION);
}

// With all that it can send the card's interrupt continues the work; and returned buffers matter
// only when the card has few to receive into.
static bool may_sleep(void) {
	bool full = card->count(NET_TO_STATION) == card->most;
	bool few = card->count(NET_TO_SWITCH) < card->most / 2;

	return (full || ring_may_sleep(&end.in.filled)) &&
		(!few || ring_may_sleep(&end.out.returned));
}

static void serve(void) {
	do {
		return_sent();
		transmit();
		receive();
		refill();
		return_sent();
		if (net_must_notify(&end)) microkit_notify(CARD_CHANNEL_SWITCH);
	} while ((card->mend && card->mend()) || !may_sleep());
}

void card_start(const struct card *driven) {
	if (!net_attach(&end, (void *)link_vaddr, NET_TO_SWITCH)) {
		print("%s: the description gives no link to a switch\n", microkit_name);
		return;
	}
	if (!driven->open()) return;
	card = driven;
	serve();
}

void card_print_mac(const uint8_t mac[NET_MAC_BYTES]) {
	print("%s: card %02x:%02x:%02x:%02x:%02x:%02x\n", microkit_name, mac[0], mac[1], mac[2],
		mac[3], mac[4], mac[5]);
}

void notified(microkit_channel channel) {
	if (channel >= CARD_CHANNEL_IRQ) {
		if (card) card->interrupt();
		// The card's line is inactive: the pin may be unmasked.
		microkit_irq_ack(channel);
	}
	if (card) serve();
}
