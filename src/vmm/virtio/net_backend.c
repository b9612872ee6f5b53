// SPDX-License-Identifier: BSD-2-Clause
// A station of the switch.
#include <vmm/virtio/net_backend.h>

#include <base/bits.h>
#include <base/memory.h>

enum { HEADER = sizeof(struct virtio_net_header) };

// The features that say who takes which work; bit i of enum net_work has row i.
static const struct {
	uint64_t host, guest;
} offloads[] = {
	{VIRTIO_NET_F_CSUM, VIRTIO_NET_F_GUEST_CSUM},
	{VIRTIO_NET_F_HOST_TSO4, VIRTIO_NET_F_GUEST_TSO4},
	{VIRTIO_NET_F_HOST_TSO6, VIRTIO_NET_F_GUEST_TSO6},
	{VIRTIO_NET_F_HOST_ECN, VIRTIO_NET_F_GUEST_ECN},
};
_Static_assert(NET_ALL_WORK == (1 << sizeof(offloads) / sizeof(offloads[0])) - 1);

// A link's header is the start of a packet's.
_Static_assert(offsetof(struct virtio_net_header, num_buffers) == sizeof(struct net_header));
_Static_assert(offsetof(struct virtio_net_header, csum_offset) ==
	offsetof(struct net_header, checksum_offset));
_Static_assert((int)VIRTIO_NET_NEEDS_CSUM == NET_NEEDS_CHECKSUM &&
	(int)VIRTIO_NET_GSO_TCPV4 == NET_SEGMENTS_TCP4 &&
	(int)VIRTIO_NET_GSO_TCPV6 == NET_SEGMENTS_TCP6 &&
	(int)VIRTIO_NET_GSO_ECN == NET_SEGMENTS_ECN);

// All of it needs the checksum (5.1.3.1).
static void station_agree(void *context, uint64_t features) {
	struct net_station *station = context;

	station->sends = 0;
	station->takes = 0;
	for (unsigned i = 0; BIT(i) < NET_ALL_WORK; i++) {
		if (features & offloads[i].host) station->sends |= (uint32_t)BIT(i);
		if (features & offloads[i].guest) station->takes |= (uint32_t)BIT(i);
	}
	if (!(station->sends & NET_CHECKSUM)) station->sends = 0;
	if (!(station->takes & NET_CHECKSUM)) station->takes = 0;
	net_take_work(&station->end.in, station->takes);
}

// Frames that no link carries are dropped, as on a wire; what the driver has not agreed on means
// nothing.
static bool station_send(
	void *context, const struct virtio_net_header *header, const struct virtio_chain *chain) {
	struct net_station *station = context;
	struct net_sender *out = &station->end.out;
	uint64_t length = chain->readable_bytes - HEADER;
	uint32_t most = NET_FRAME_MAX;
	struct net_header left;
	uint32_t needs;
	int buffer;

	__builtin_memcpy(&left, header, sizeof(left));
	needs = net_needs(&left);
	if (needs & ~station->sends) needs = 0;
	if (needs & ~NET_CHECKSUM) most = NET_LARGE_MAX;
	if (length < NET_FRAME_MIN || length > most) return true;
	buffer = net_take_run(out, (uint32_t)length);
	if (buffer == NET_NO_BUFFER) return false;
	(void)virtio_chain_read(chain, HEADER, net_bytes(out, (unsigned)buffer), (uint32_t)length);
	if (needs == 0)
		net_send(out, (unsigned)buffer, (uint32_t)length);
	else
		net_send_large(out, (unsigned)buffer, &left, (uint32_t)length);
	return true;
}

// What the driver no longer takes is dropped.
static bool receive(struct net_station *station) {
	struct net_receiver *in = &station->end.in;

	while (net_receive_large(in, &station->frame, &station->left)) {
		if (!(net_needs(&station->left) & ~station->takes)) return true;
		net_return(in, station->frame.buffer);
	}
	return false;
}

static void station_skip(void *context) {
	struct net_station *station = context;

	station->has_frame = false;
	net_return(&station->end.in, station->frame.buffer);
}

static bool station_peek(void *context, struct net_packet *packet) {
	struct net_station *station = context;

	if (station->has_frame && net_needs(&station->left) & ~station->takes)
		station_skip(station);
	if (!station->has_frame) station->has_frame = receive(station);
	if (!station->has_frame) return false;
	__builtin_memcpy(&packet->header, &station->left, sizeof(station->left));
	packet->length = station->frame.length;
	packet->bytes = station->frame.bytes;
	return true;
}

static bool station_rest(void *context, bool out_of_buffers, bool out_of_room) {
	struct net_station *station = context;

	if (net_must_notify(&station->end)) station->signal(station->context);
	if (out_of_room && !ring_may_sleep(&station->end.out.returned)) return false;
	return out_of_buffers || ring_may_sleep(&station->end.in.filled);
}

// Only a switch that does the work for those who do not take it can be given any.
bool net_station_open(struct net_station *station, const uint8_t mac[NET_MAC_BYTES]) {
	uint64_t offered = 0;

	if (!net_attach(&station->end, station->link, NET_TO_SWITCH)) return false;
	if (net_work_taken(&station->end.out) == NET_ALL_WORK)
		for (unsigned i = 0; BIT(i) < NET_ALL_WORK; i++)
			offered |= offloads[i].host | offloads[i].guest;
	station->net->backend = (struct net_backend){
		.context = station,
		.send = station_send,
		.peek = station_peek,
		.skip = station_skip,
		.rest = station_rest,
		.agree = station_agree,
		.offloads = offered,
	};
	net_init(station->net, mac);
	return true;
}

void net_station_notified(void *context) {
	struct net_station *station = context;

	net_poll(station->net);
}
