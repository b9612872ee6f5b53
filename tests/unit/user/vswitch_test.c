// SPDX-License-Identifier: BSD-2-Clause
// Where the switch sends frames, and whose it refuses.
#include "test.h"

#include <services/vswitch/share.h>
#include <services/vswitch/table.h>
#include <string.h>

enum { CARD = 1, STATION_A = 2, STATION_B = 3, BRIDGE = 5 };

#define A "\x52\x54\x00\x00\x00\x0a"
#define B "\x52\x54\x00\x00\x00\x0b"
#define FAR "\x02\x00\x00\x00\x00\x01"
#define NEAR "\x02\x00\x00\x00\x00\x02"
#define ALL "\xff\xff\xff\xff\xff\xff"
#define GROUP "\x01\x00\x5e\x00\x00\x01"
#define UNKNOWN "\0\0\0\0\0\0"

static struct switch_table table;

static unsigned read_text(const char *text) {
	struct settings settings = {.text = text, .size = strlen(text)};

	memset(&table, 0, sizeof(table));
	return switch_read(&table, &settings);
}

static void set_up(void) {
	check(read_text("port 1 open\nport 2 mac 52:54:00:00:00:0a\n"
			"port 3 mac 52:54:00:00:00:0b\nport 5 open\n") == 0);
}

// The targets of a frame as bits, or ~0 when it is refused.
static uint32_t route(unsigned port, const char *target, const char *source) {
	uint8_t header[SWITCH_HEADER];
	uint32_t targets;

	memcpy(header, target, 6);
	memcpy(header + 6, source, 6);
	return switch_route(&table, port, header, &targets) ? targets : ~0u;
}

static void stations(void) {
	set_up();
	check(route(STATION_A, B, A) == 1u << STATION_B);
	check(route(STATION_A, A, A) == 0);
	check(route(STATION_A, ALL, A) == (1u << CARD | 1u << STATION_B | 1u << BRIDGE));
	check(route(CARD, GROUP, FAR) == (1u << STATION_A | 1u << STATION_B | 1u << BRIDGE));
	check(route(CARD, B, FAR) == 1u << STATION_B);
}

static void removed(void) {
	set_up();
	switch_remove(&table, STATION_B);
	switch_remove(&table, BRIDGE);
	check(route(CARD, B, FAR) == 0);
	check(route(CARD, ALL, FAR) == 1u << STATION_A);
	check(route(STATION_B, A, B) == ~0u && route(BRIDGE, A, NEAR) == ~0u);
	// Its address may be that of any other station now.
	check(route(CARD, A, B) == 1u << STATION_A);
}

static void learning(void) {
	set_up();
	check(route(STATION_A, FAR, A) == (1u << CARD | 1u << BRIDGE));
	check(route(CARD, ALL, FAR) != ~0u);
	check(route(STATION_A, FAR, A) == 1u << CARD);
	check(route(BRIDGE, FAR, NEAR) == 1u << CARD);
	// Frames for those on the same side are not for us.
	check(route(CARD, FAR, NEAR) == 0);
	check(route(BRIDGE, ALL, FAR) != ~0u && route(STATION_A, FAR, A) == 1u << BRIDGE);
}

static void forged(void) {
	set_up();
	check(route(STATION_A, B, B) == ~0u && route(STATION_A, ALL, FAR) == ~0u);
	check(route(CARD, ALL, A) == ~0u && route(BRIDGE, B, B) == ~0u);
	check(route(CARD, B, GROUP) == ~0u && route(CARD, B, ALL) == ~0u);
	check(route(CARD, B, UNKNOWN) == ~0u);
	check(route(4, B, FAR) == ~0u && route(0, B, FAR) == ~0u);
	// Nothing was learned from them: A is still where it was stated.
	check(route(STATION_B, A, B) == 1u << STATION_A);
}

// More addresses than the table has places: frames still arrive, and stations see none of them.
static void flood(void) {
	set_up();
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t header[SWITCH_HEADER] = {0x52, 0x54, 0, 0, 0, 0x0a, 0x02, 0, 1,
			(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
		uint32_t targets;

		check(switch_route(&table, CARD, header, &targets) && targets == 1u << STATION_A);
	}
	check((route(STATION_A, NEAR, A) & ~(1u << CARD | 1u << BRIDGE)) == 0);
	check(route(STATION_A, B, A) == 1u << STATION_B);
}

static void settings(void) {
	check(read_text("port 0 open") == 1 && read_text("port 9 open") == 1);
	check(read_text("port 8 open") == 0 && read_text("port 8 open\nport 8 open") == 2);
	check(read_text("port 1 open now") == 1 && read_text("port 1") == 1);
	check(read_text("port 1 mac") == 1 && read_text("port 1 mac 52:54:00:00:00") == 1);
	check(read_text("port 1 mac 01:00:5e:00:00:01") == 1);
	check(read_text("port 1 mac 00:00:00:00:00:00") == 1);
	check(read_text("port 1 mac 52:54:00:00:00:0a\nport 2 mac 52:54:00:00:00:0A") == 2);
	check(read_text("gate 1 open") == 1 && read_text("") == 0);
}

static struct share share;
static uint64_t in_flight;

// Give frames from a port until it may have no more; returns how many it got.
static unsigned give_all(unsigned source) {
	unsigned count = 0;

	for (; share_allows(&share, source, in_flight, ~in_flight, 1); count++) {
		uint64_t buffer = ~in_flight & -~in_flight;

		share_take(&share, source, buffer);
		in_flight |= buffer;
	}
	return count;
}

// A frame of several buffers has the places of so many small ones, and the largest an idle port.
static void shares_of_large(void) {
	share = (struct share){0};
	in_flight = 0;
	check(share_allows(&share, CARD, in_flight, ~in_flight, 33));
	in_flight = 1;
	check(share_allows(&share, CARD, in_flight, ~in_flight, 32));
	check(!share_allows(&share, CARD, in_flight, ~in_flight, 33));
	share_take(&share, CARD, 0xffff);
	in_flight = 0xffff;
	check(share_allows(&share, CARD, in_flight, ~in_flight, 16));
	check(!share_allows(&share, CARD, in_flight, ~in_flight, 17));
	check(share_allows(&share, STATION_A, in_flight, ~in_flight, 24));
}

static void shares(void) {
	share = (struct share){0};
	in_flight = 0;
	check(give_all(CARD) == 32 && give_all(CARD) == 0);
	check(give_all(STATION_A) == 16 && give_all(STATION_B) == 8 && give_all(BRIDGE) == 4);
	// Half of the first one's frames are read: what is free is shared anew.
	in_flight &= ~0xfffful;
	check(give_all(CARD) == 2 && give_all(STATION_A) == 1);
	in_flight = 0;
	check(give_all(STATION_A) == 32);
	for (unsigned i = 0; i < SWITCH_PORTS; i++)
		check((share.held[i] & in_flight) == (i == STATION_A ? in_flight : 0));
}

static const struct test rows[] = {
	{"user/vswitch/stations", "frames go to their station, and to all when for all", stations},
	{"user/vswitch/removed", "a port without a link gets no frames, and sends none", removed},
	{"user/vswitch/learning", "addresses behind open ports are learned", learning},
	{"user/vswitch/forged", "a frame with a source that is not its port's is refused", forged},
	{"user/vswitch/flood", "a flood of addresses shows no station another's frames", flood},
	{"user/vswitch/shares", "a flooder of a port leaves buffers for others", shares},
	{"user/vswitch/large-shares", "large frames take no more of a port", shares_of_large},
	{"user/vswitch/settings", "wrong lines are found", settings},
};

const struct tests vswitch_tests = {rows, array_count(rows)};
