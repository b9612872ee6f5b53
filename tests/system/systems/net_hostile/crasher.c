// SPDX-License-Identifier: BSD-2-Clause
// Sends an ARP request for the host, keeps the buffers of what it receives, and crashes after the
// reply.
#include <nacre/net/ipv4.h>
#include <nacre/net/station.h>

enum {
	SWITCH = 1,
	OWN_IP = 0x0a000205,
	HOST_IP = 0x0a000201,
};

// Patched by the composer.
uint64_t link_vaddr;

static struct station station;

static void ask(void) {
	static uint8_t frame[ETHERNET_HEADER + ARP_SIZE];
	uint8_t *arp = frame + ETHERNET_HEADER;

	for (unsigned i = 0; i < ETHERNET_ADDRESS; i++) {
		frame[ETHERNET_TARGET + i] = 0xff;
		frame[ETHERNET_SOURCE + i] = station.mac[i];
		arp[ARP_SENDER_MAC + i] = station.mac[i];
	}
	big16_set(frame + ETHERNET_KIND, KIND_ARP);
	big32_set(arp + ARP_FORMAT, ARP_FORMAT_VALUE);
	big16_set(arp + ARP_SIZES, ARP_SIZES_VALUE);
	big16_set(arp + ARP_OPERATION, ARP_REQUEST);
	big32_set(arp + ARP_SENDER_IP, OWN_IP);
	big32_set(arp + ARP_TARGET_IP, HOST_IP);
	(void)station_send(&station, frame, sizeof(frame));
	station_flush(&station);
}

void init(void) {
	if (!station_open(&station, SWITCH, link_vaddr)) return;
	microkit_dbg_puts("crasher: asks\n");
	ask();
}

static bool is_answer(const struct net_frame *frame) {
	const uint8_t *arp = frame->bytes + ETHERNET_HEADER;

	return frame->length >= ETHERNET_HEADER + ARP_SIZE &&
		big16(frame->bytes + ETHERNET_KIND) == KIND_ARP &&
		big16(arp + ARP_OPERATION) == ARP_REPLY && big32(arp + ARP_SENDER_IP) == HOST_IP;
}

void notified(microkit_channel) {
	struct net_frame frame;

	do {
		while (net_receive(&station.end.in, &frame)) {
			if (!is_answer(&frame)) continue;
			microkit_dbg_puts("crasher: was answered\n");
			*(volatile int *)10 = 1;
		}
	} while (!station_may_sleep(&station));
}
