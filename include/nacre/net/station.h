// SPDX-License-Identifier: BSD-2-Clause
// A station of the switch: its link, and the address the switch expects in its frames.
#pragma once

#include <abi/compiler.h>

#include <microkit.h>

#include <nacre/net/end.h>

struct station {
	struct net_end end;
	microkit_channel channel;
	uint8_t mac[NET_MAC_BYTES];
};

// False when there is no link, or the switch states no address for this port.
ABI_MUST_USE static inline bool station_open(
	struct station *station, microkit_channel channel, uint64_t link_vaddr) {
	microkit_msginfo answer = microkit_ppcall(channel, microkit_msginfo_new(NET_ADDRESS, 0));
	uint64_t address = microkit_mr_get(0);

	station->channel = channel;
	if (microkit_msginfo_get_label(answer) != NET_OK || address == 0) return false;
	net_mac(address, station->mac);
	return net_attach(&station->end, (void *)link_vaddr, NET_TO_SWITCH);
}

// Copy the oldest frame to private memory of NET_FRAME_MAX bytes; returns its length, 0 for none.
static inline uint32_t station_receive(struct station *station, uint8_t *bytes) {
	struct net_frame frame;

	if (!net_receive(&station->end.in, &frame)) return 0;
	__builtin_memcpy(bytes, frame.bytes, frame.length);
	net_return(&station->end.in, frame.buffer);
	return frame.length;
}

// False when no buffer is free: the frame is not sent.
static inline bool station_send(struct station *station, const uint8_t *bytes, uint32_t length) {
	int buffer = net_take(&station->end.out);

	if (buffer == NET_NO_BUFFER) return false;
	__builtin_memcpy((*station->end.out.buffers)[buffer], bytes, length);
	net_send(&station->end.out, (unsigned)buffer, length);
	return true;
}

// After a batch: notify the switch if it sleeps.
static inline void station_flush(struct station *station) {
	if (net_must_notify(&station->end)) microkit_notify(station->channel);
}

// When there was no frame: false if one has arrived meanwhile.
static inline bool station_may_sleep(struct station *station) {
	return ring_may_sleep(&station->end.in.filled);
}
