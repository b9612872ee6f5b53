// SPDX-License-Identifier: BSD-2-Clause
// The back end of a network device: a station of the virtual switch.
#pragma once

#include <vmm/virtio/net.h>

#include <nacre/net/large.h>

struct net_station {
	struct net *net;
	void *link; // struct net_link, shared with the switch
	void (*signal)(void *context); // notifies the switch
	void *context;

	struct net_end end;
	uint32_t sends, takes; // enum net_work, as agreed on with the driver
	struct net_header left; // of the frame that was peeked at
	struct net_frame frame;
	bool has_frame;
};

// Joins the link and prepares the device; the first members are set. False without a link.
[[nodiscard]] bool net_station_open(struct net_station *station, const uint8_t mac[NET_MAC_BYTES]);
// The switch has notified.
void net_station_notified(void *station);
