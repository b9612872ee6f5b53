// SPDX-License-Identifier: BSD-2-Clause
// A station of the switch.
#include <vmm/virtio/net_backend.h>

enum { HEADER = sizeof(struct virtio_net_header) };

// Frames that no link carries are dropped, as on a wire.
static bool station_send(
	void *context, const struct virtio_net_header *, const struct virtio_chain *chain) {
	struct net_station *station = context;
	uint64_t length = chain->readable_bytes - HEADER;
	int buffer;

	if (length < NET_FRAME_MIN || length > NET_FRAME_MAX) return true;
	buffer = net_take(&station->end.out);
	if (buffer == NET_NO_BUFFER) return false;
	(void)virtio_chain_read(
		chain, HEADER, (*station->end.out.buffers)[buffer], (uint32_t)length);
	net_send(&station->end.out, (unsigned)buffer, (uint32_t)length);
	return true;
}

static bool station_peek(void *context, struct net_packet *packet) {
	struct net_station *station = context;

	if (!station->has_frame)
		station->has_frame = net_receive(&station->end.in, &station->frame);
	if (!station->has_frame) return false;
	packet->header = (struct virtio_net_header){0};
	packet->length = station->frame.length;
	packet->count = 1;
	packet->pieces[0] = (struct net_piece){station->frame.bytes, station->frame.length};
	return true;
}

static void station_skip(void *context) {
	struct net_station *station = context;

	station->has_frame = false;
	net_return(&station->end.in, station->frame.buffer);
}

static bool station_rest(void *context, bool out_of_buffers, bool out_of_room) {
	struct net_station *station = context;

	if (net_must_notify(&station->end)) station->signal(station->context);
	if (out_of_room && !ring_may_sleep(&station->end.out.returned)) return false;
	return out_of_buffers || ring_may_sleep(&station->end.in.filled);
}

bool net_station_open(struct net_station *station, const uint8_t mac[NET_MAC_BYTES]) {
	if (!net_attach(&station->end, station->link, NET_TO_SWITCH)) return false;
	station->net->backend = (struct net_backend){
		.context = station,
		.send = station_send,
		.peek = station_peek,
		.skip = station_skip,
		.rest = station_rest,
	};
	net_init(station->net, mac);
	return true;
}

void net_station_notified(void *context) {
	struct net_station *station = context;

	net_poll(station->net);
}
