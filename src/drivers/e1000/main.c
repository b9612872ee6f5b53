// SPDX-License-Identifier: BSD-2-Clause
// The driver of Intel 8254x network cards (82540EM and its relatives): a station of the switch that
// forwards the frames of the wire. The link's buffers are passed to the card without copies.
#include <microkit.h>

#include <drivers/e1000/device.h>
#include <drivers/e1000/rings.h>
#include <nacre/net/end.h>
#include <nacre/pci_open.h>
#include <nacre/print.h>

enum {
	CHANNEL_PCI = 1,
	CHANNEL_SWITCH = 2,
	CHANNEL_IRQ = 3, // and those above: the pins that the card's line may be wired to
	DEVICE = 0, // the only one
	BAR_REGISTERS = 0,
	TRANSMIT_OFFSET = 2048, // of its descriptors, in the private page
	FEW_BUFFERS = E1000_DESCRIPTORS / 2,
};

// Patched by the composer. The rings of descriptors are in memory of no other component, as they
// tell the card where to write.
uint64_t registers_vaddr __attribute__((section(".data")));
uint64_t registers_paddr __attribute__((section(".data")));
uint64_t rings_vaddr __attribute__((section(".data")));
uint64_t rings_paddr __attribute__((section(".data")));
uint64_t link_vaddr __attribute__((section(".data")));
uint64_t link_paddr __attribute__((section(".data")));

// State of the driver; one thread, written by the functions of this file only.
static struct net_end end;
static struct e1000_receive receive_ring;
static struct e1000_transmit transmit_ring;
static bool card_works;

static uint64_t buffer_address(enum net_direction lane, unsigned buffer) {
	return link_paddr + offsetof(struct net_link, buffers) + lane * sizeof(net_buffers) +
		(uint64_t)buffer * NET_BUFFER_SIZE;
}

static void print_link(void) {
	struct e1000_link link = e1000_link();

	if (link.is_up)
		print("e1000: link is up, %u Mb/s\n", link.megabits);
	else
		print("e1000: link is down\n");
}

// Returned buffers go to the card.
static void refill(void) {
	unsigned before = receive_ring.tail;

	while (e1000_receive_count(&receive_ring) < E1000_IN_USE) {
		int buffer = net_take(&end.out);

		if (buffer == NET_NO_BUFFER) break;
		e1000_receive_add(&receive_ring, (unsigned)buffer,
			buffer_address(NET_TO_SWITCH, (unsigned)buffer));
	}
	if (receive_ring.tail != before) e1000_receive_to(receive_ring.tail);
}

static void receive(void) {
	struct e1000_received received;

	while (e1000_receive_take(&receive_ring, &received)) {
		if (received.length > 0)
			net_send(&end.out, received.buffer, received.length);
		else
			net_untake(&end.out, received.buffer);
	}
}

static void return_sent(void) {
	unsigned buffer;

	while (e1000_transmit_take(&transmit_ring, &buffer))
		net_return(&end.in, buffer);
}

static void transmit(void) {
	unsigned before = transmit_ring.tail;
	struct net_frame frame;

	while (e1000_transmit_count(&transmit_ring) < E1000_IN_USE && net_receive(&end.in, &frame))
		e1000_transmit_add(&transmit_ring, frame.buffer,
			buffer_address(NET_TO_STATION, frame.buffer), frame.length);
	if (transmit_ring.tail != before) e1000_transmit_to(transmit_ring.tail);
}

// With a full ring the card's interrupt continues the work; and returned buffers matter only when
// the card has few.
static bool may_sleep(void) {
	bool full = e1000_transmit_count(&transmit_ring) == E1000_IN_USE;
	bool few = e1000_receive_count(&receive_ring) < FEW_BUFFERS;

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
		if (net_must_notify(&end)) microkit_notify(CHANNEL_SWITCH);
	} while (!may_sleep());
}

static void start_card(void) {
	struct e1000_addresses addresses = {rings_paddr, rings_paddr + TRANSMIT_OFFSET};
	uint8_t mac[NET_MAC_BYTES];

	receive_ring.descriptors = (struct e1000_receive_descriptor *)rings_vaddr;
	transmit_ring.descriptors = (struct e1000_transmit_descriptor *)(rings_vaddr +
		TRANSMIT_OFFSET);
	e1000_reset(registers_vaddr);
	e1000_read_mac(mac);
	e1000_start(&addresses);
	print("e1000: card %02x:%02x:%02x:%02x:%02x:%02x\n", mac[0], mac[1], mac[2], mac[3], mac[4],
		mac[5]);
	print_link();
}

void init(void) {
	struct pci_wanted card = {
		.channel = CHANNEL_PCI,
		.number = DEVICE,
		.bar = BAR_REGISTERS,
		.paddr = registers_paddr,
		.size = E1000_REGISTERS_SIZE,
		.enable = PCI_ENABLE_MEMORY | PCI_ENABLE_BUS_MASTER,
	};

	if (!net_attach(&end, (void *)link_vaddr, NET_TO_SWITCH)) {
		print("e1000: the description gives no link to a switch\n");
		return;
	}
	if (!pci_open(&card)) return;
	start_card();
	card_works = true;
	serve();
}

void notified(microkit_channel channel) {
	if (channel >= CHANNEL_IRQ) {
		uint32_t causes = card_works ? e1000_causes() : 0;

		// The card's line is inactive: the pin may be unmasked.
		microkit_irq_ack(channel);
		if (causes & CAUSE_LINK) print_link();
	}
	if (card_works) serve();
}
