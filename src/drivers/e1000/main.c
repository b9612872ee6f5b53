// SPDX-License-Identifier: BSD-2-Clause
// The driver of Intel 8254x network cards (82540EM and its relatives).
#include <drivers/e1000/device.h>
#include <drivers/e1000/rings.h>
#include <lib/net/card.h>
#include <nacre/pci_open.h>
#include <nacre/print.h>

enum {
	DEVICE = 0, // the only one
	BAR_REGISTERS = 0,
	TRANSMIT_OFFSET = 2048, // of its descriptors, in the private page
};

// Patched by the composer. The rings of descriptors are in memory of no other component, as they
// tell the card where to write.
uint64_t registers_vaddr __attribute__((section(".data")));
uint64_t registers_paddr __attribute__((section(".data")));
uint64_t rings_vaddr __attribute__((section(".data")));
uint64_t rings_paddr __attribute__((section(".data")));

// State of the driver; one thread, written by the functions of this file only.
static struct e1000_receive receive_ring;
static struct e1000_transmit transmit_ring;

static void print_link(void) {
	struct e1000_link link = e1000_link();

	if (link.is_up)
		print("e1000: link is up, %u Mb/s\n", link.megabits);
	else
		print("e1000: link is down\n");
}

static bool open(void) {
	const struct pci_wanted wanted = {
		.channel = CARD_CHANNEL_PCI,
		.number = DEVICE,
		.bar = BAR_REGISTERS,
		.paddr = registers_paddr,
		.size = E1000_REGISTERS_SIZE,
		.enable = PCI_ENABLE_MEMORY | PCI_ENABLE_BUS_MASTER,
	};
	const struct e1000_addresses addresses = {rings_paddr, rings_paddr + TRANSMIT_OFFSET};
	uint8_t mac[NET_MAC_BYTES];

	if (!pci_open(&wanted)) return false;
	receive_ring.descriptors = (struct e1000_receive_descriptor *)rings_vaddr;
	transmit_ring.descriptors = (struct e1000_transmit_descriptor *)(rings_vaddr +
		TRANSMIT_OFFSET);
	e1000_reset(registers_vaddr);
	e1000_read_mac(mac);
	e1000_start(&addresses);
	card_print_mac(mac);
	print_link();
	return true;
}

static unsigned count(enum net_direction lane) {
	return lane == NET_TO_SWITCH ? e1000_receive_count(&receive_ring)
				     : e1000_transmit_count(&transmit_ring);
}

static void give(enum net_direction lane, unsigned buffer, uint64_t paddr, unsigned length) {
	if (lane == NET_TO_SWITCH)
		e1000_receive_add(&receive_ring, buffer, paddr);
	else
		e1000_transmit_add(&transmit_ring, buffer, paddr, length);
}

static void announce(enum net_direction lane) {
	if (lane == NET_TO_SWITCH)
		e1000_receive_to(receive_ring.tail);
	else
		e1000_transmit_to(transmit_ring.tail);
}

static bool take(enum net_direction lane, unsigned *buffer, unsigned *length) {
	return lane == NET_TO_SWITCH ? e1000_receive_take(&receive_ring, buffer, length)
				     : e1000_transmit_take(&transmit_ring, buffer);
}

static void interrupt(void) {
	if (e1000_causes() & CAUSE_LINK) print_link();
}

static const struct card card = {
	.most = E1000_IN_USE,
	.open = open,
	.count = count,
	.give = give,
	.announce = announce,
	.take = take,
	.interrupt = interrupt,
};

void init(void) { card_start(&card); }
