// SPDX-License-Identifier: BSD-2-Clause
// Passes items to two consumers in batches of several sizes and prints the ticks of the time stamp
// counter for each figure. The consumer above the producer's priority sleeps before each batch and
// takes it at once; the one below never sleeps, since the producer adds items before it runs out of
// work.
#include "ring_bench.h"

#include <microkit.h>

#include <base/compiler.h>
#include <base/format.h>

#include <nacre/tsc.h>

enum {
	COM1_PORTS = 0,
	COM1_DATA = 0x3f8,
	COM1_STATUS = 0x3fd,
	STATUS_EMPTY = 1 << 5,
};

enum peer {
	PEER_ASLEEP,
	PEER_AWAKE,
	PEERS,
};

// Patched by the composer; the channel of each peer is its number.
uint64_t asleep_vaddr __attribute__((section(".data")));
uint64_t awake_vaddr __attribute__((section(".data")));
uint64_t ring_size __attribute__((section(".data")));

static const struct {
	const char *name;
	enum peer peer;
	unsigned batch;
} figures[] = {
	// The first pass of each peer is discarded: its caches are cold.
	{NULL, PEER_ASLEEP, 32},
	{"asleep-1", PEER_ASLEEP, 1},
	{"asleep-8", PEER_ASLEEP, 8},
	{"asleep-32", PEER_ASLEEP, 32},
	{"asleep-256", PEER_ASLEEP, 256},
	{NULL, PEER_AWAKE, 32},
	{"awake-1", PEER_AWAKE, 1},
	{"awake-8", PEER_AWAKE, 8},
	{"awake-32", PEER_AWAKE, 32},
	{"awake-256", PEER_AWAKE, 256},
};

// Written by the functions of this file only.
static struct ring_end rings[PEERS];
static uint64_t numbers[PEERS]; // next item of each
static unsigned current; // figure
static unsigned left; // items of the figure
static unsigned notifications;
static uint64_t began;

static void put_character(struct format_sink *, char character) {
	while (!(microkit_x86_ioport_read_8(COM1_PORTS, COM1_STATUS) & STATUS_EMPTY))
		;
	microkit_x86_ioport_write_8(COM1_PORTS, COM1_DATA, (unsigned char)character);
}

[[gnu::format(printf, 1, 2)]] static void output(const char *format, ...) {
	struct format_sink sink = {put_character};
	va_list arguments;

	va_start(arguments, format);
	format_emit(&sink, format, arguments);
	va_end(arguments);
}

// False when there was no room for the whole batch.
static bool put_batch(enum peer peer) {
	// A copy whose address is not taken elsewhere: the compiler keeps it in registers.
	struct ring_end ring = rings[peer];
	uint64_t first = numbers[peer];
	uint64_t number = first;
	uint64_t end = first + (figures[current].batch < left ? figures[current].batch : left);

	while (number < end && ring_put(&ring, (&(const struct item){number, ~number})))
		number++;
	rings[peer] = ring;
	numbers[peer] = number;
	left -= (unsigned)(number - first);
	return number == end;
}

static void produce(void) {
	enum peer peer = figures[current].peer;
	bool has_room = true;

	while (left > 0 && has_room) {
		has_room = put_batch(peer);
		if (ring_must_notify(&rings[peer])) {
			notifications++;
			microkit_notify(peer);
		}
		if (!has_room) has_room = !ring_may_wait(&rings[peer]);
	}
}

static void begin(void) {
	left = ITEMS;
	notifications = 0;
	began = tsc_read();
	produce();
}

static void report(uint64_t ticks) {
	if (!figures[current].name) return;
	output("{\"name\": \"%s\", \"batch\": %u, \"items\": %u, \"ticks\": %lu, "
	       "\"notifications\": %u}\n",
		figures[current].name, figures[current].batch, (unsigned)ITEMS, ticks,
		notifications);
}

void init(void) {
	if (!ring_attach_producer(
		    &rings[PEER_ASLEEP], (void *)asleep_vaddr, ring_size, sizeof(struct item)) ||
		!ring_attach_producer(
			&rings[PEER_AWAKE], (void *)awake_vaddr, ring_size, sizeof(struct item)))
		microkit_internal_crash(seL4_InvalidArgument);
	begin();
}

// A consumer has room, or has received the last item.
void notified(microkit_channel channel) {
	uint64_t now = tsc_read();

	if (channel != (microkit_channel)figures[current].peer) return;
	if (left > 0 || ring_room(&rings[channel]) <= rings[channel].mask) {
		produce();
		return;
	}
	report(now - began);
	if (++current < array_count(figures))
		begin();
	else
		output("ring bench done\n");
}
