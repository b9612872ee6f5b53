// SPDX-License-Identifier: BSD-2-Clause
// The driver of a virtio network card on PCI.
#include <base/bits.h>

#include <drivers/virtio_net/device.h>
#include <lib/net/card.h>
#include <lib/virtio/open.h>
#include <nacre/print.h>
#include <virtio/pci.h>

enum {
	DEVICE = 0, // the only one granted
	RESETS_MOST = 8,
};

// Patched by the composer. The queues are in memory of no other component, as they tell the device
// where to write.
uint64_t registers_vaddr __attribute__((section(".data")));
uint64_t registers_size __attribute__((section(".data")));
uint64_t registers_paddr __attribute__((section(".data")));
uint64_t rings_vaddr __attribute__((section(".data")));
uint64_t rings_size __attribute__((section(".data")));
uint64_t rings_paddr __attribute__((section(".data")));

// State of the driver; one thread, written by the functions of this file only.
static struct virtio_net net;
static bool works;
static bool is_broken; // it has answered what cannot be, or says so itself
static unsigned resets;
static bool is_up; // the link, as it was printed last

static void print_link(void) {
	is_up = virtio_net_link_is_up(&net);
	print("virtio_net: link is %s\n", is_up ? "up" : "down");
}

static bool is_described(void) {
	if (registers_vaddr && registers_size && registers_paddr && rings_vaddr && rings_paddr &&
		rings_size >= VIRTIO_NET_MEMORY && microkit_pps & BIT(CARD_CHANNEL_PCI))
		return true;
	print("virtio_net: the description lacks registers_vaddr, registers_size, "
	      "registers_paddr, rings_vaddr, rings_size, rings_paddr or the channel to the PCI "
	      "component\n");
	return false;
}

static bool open(void) {
	const struct pci_wanted wanted = {
		.channel = CARD_CHANNEL_PCI,
		.number = DEVICE,
		.paddr = registers_paddr,
		.size = registers_size,
		.enable = PCI_ENABLE_MEMORY | PCI_ENABLE_BUS_MASTER,
	};
	uint8_t mac[NET_MAC_BYTES];

	if (!is_described() || !virtio_open(wanted, VIRTIO_ID_NET, &net.places)) return false;
	net.memory = (uint8_t *)rings_vaddr;
	net.paddr = rings_paddr;
	works = virtio_net_reset(&net);
	if (!works) {
		print("virtio_net: the device does not start\n");
		return false;
	}
	if (virtio_net_mac(&net, mac)) card_print_mac(mac);
	if (!net.takes_all)
		print("virtio_net: the device receives frames for its own address only\n");
	print_link();
	return true;
}

static unsigned count(enum net_direction lane) {
	return works ? net.lanes[lane].count : NET_BUFFERS;
}

static void give(enum net_direction lane, unsigned buffer, uint64_t paddr, unsigned length) {
	// A peer that sends a buffer again before it came back sends it once.
	(void)!virtio_net_give(&net, lane, buffer, paddr, length);
}

static void announce(enum net_direction lane) { virtio_queue_notify(&net.lanes[lane].queue); }

static bool take(enum net_direction lane, unsigned *buffer, unsigned *length) {
	enum virtio_answer answer = virtio_net_take(&net, lane, buffer, length);

	is_broken |= answer == VIRTIO_IMPOSSIBLE;
	return answer == VIRTIO_TAKEN;
}

static void interrupt(void) {
	if (!(virtio_interrupt(&net.places) & VIRTIO_PCI_ISR_CONFIG)) return;
	if (virtio_is_broken(&net.places))
		is_broken = true;
	else if (virtio_net_link_is_up(&net) != is_up)
		print_link();
}

static bool mend(void) {
	if (!is_broken || !works) return false;
	is_broken = false;
	works = virtio_net_reset(&net) && ++resets < RESETS_MOST;
	if (!works) (void)!virtio_stop(&net.places);
	print("virtio_net: the device does not keep to the protocol and is %s\n",
		works ? "reset" : "used no more");
	return true;
}

static const struct card card = {
	.most = NET_BUFFERS,
	.open = open,
	.count = count,
	.give = give,
	.announce = announce,
	.take = take,
	.interrupt = interrupt,
	.mend = mend,
};

void init(void) { card_start(&card); }
