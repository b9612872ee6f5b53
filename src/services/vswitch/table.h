// SPDX-License-Identifier: BSD-2-Clause
// Forwarding: the ports with their stated addresses, and a table of fixed size of addresses learned
// on open ports. Pure.
//
//   port CHANNEL mac 52:54:00:12:34:01    a station with one address, the only one it may use
//   port CHANNEL open                     the way to other stations: a card, a guest that bridges
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <nacre/settings.h>

enum {
	SWITCH_PORTS = 9, // channels 1 to 8; port 0 is never there
	SWITCH_LEARNED = 256,
	SWITCH_HEADER = 12, // destination and source address of a frame
};

// A MAC address as a number, its first byte highest; 0 is no address.
typedef uint64_t mac_address;

enum port_kind {
	PORT_ABSENT,
	PORT_STATION,
	PORT_OPEN,
};

struct switch_port {
	enum port_kind kind;
	mac_address address; // of a station
};

struct switch_table {
	struct switch_port ports[SWITCH_PORTS];
	uint32_t stations, open; // ports of these kinds, a bit each
	struct {
		mac_address address;
		unsigned port;
	} learned[SWITCH_LEARNED];
};

// Line number of the first line that is wrong, 0 when all are right. Lines before it count.
[[nodiscard]] unsigned switch_read(struct switch_table *table, struct settings *settings);

// A port that turns out to be none.
void switch_remove(struct switch_table *table, unsigned port);

// The ports a frame goes to as a bit each. False when the port may not send it: its source is a
// group address, or not the port's own, or that of a station elsewhere.
[[nodiscard]] bool switch_route(struct switch_table *table, unsigned port,
	const uint8_t header[SWITCH_HEADER], uint32_t *targets);
