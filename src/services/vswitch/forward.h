// SPDX-License-Identifier: BSD-2-Clause
// What the switch does with frames: takes them from a port and copies them to their destinations. A
// port that does not take its frames loses them; no port waits for another. Work that a frame's
// sender left to others is done here for ports that do not take the frame as it is. Pure.
#pragma once

#include <nacre/net/large.h>
#include <services/vswitch/share.h>
#include <services/vswitch/table.h>

struct switch_counts {
	uint64_t taken;
	uint64_t given;
	uint64_t dropped; // for the port, which had no buffer left for them
	uint64_t refused; // from the port
	uint64_t unfinished; // of those given
};

struct forwarder {
	struct switch_table table;
	struct net_end ends[SWITCH_PORTS];
	struct switch_counts counts[SWITCH_PORTS];
	void (*tell)(unsigned port); // notifies the port's other end, if that waits

	struct share shares[SWITCH_PORTS];
	// The frame being switched: a copy that its sender can no longer change; and one made of
	// it.
	uint8_t copy[NET_LARGE_MAX];
	uint8_t segment[NET_FRAME_MAX];
};

[[nodiscard]] static inline bool forward_has(const struct forwarder *forwarder, unsigned port) {
	return port < SWITCH_PORTS && forwarder->table.ports[port].kind != PORT_ABSENT;
}

// Joins a port's link; false without a region.
[[nodiscard]] bool forward_attach(struct forwarder *forwarder, unsigned port, void *link);
// Some frames from a port; returns whether it may have more.
[[nodiscard]] bool forward_batch(struct forwarder *forwarder, unsigned port);
