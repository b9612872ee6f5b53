// SPDX-License-Identifier: BSD-2-Clause
// The virtual switch: takes frames from each port in turn and copies them to their destinations. A
// port that does not take its frames loses them; no port waits for another.
#include <microkit.h>

#include <base/memory.h>

#include <nacre/net/end.h>
#include <nacre/print.h>
#include <services/vswitch/share.h>
#include <services/vswitch/table.h>

enum {
	BATCH = 16, // frames from one port before it is the next one's turn
};

struct counts {
	uint64_t taken;
	uint64_t given;
	uint64_t dropped; // for the port, which had no buffer left for them
	uint64_t refused; // from the port
};

// Patched by the composer: where the link of channel N is mapped, 0 when there is none.
uint64_t settings_vaddr __attribute__((section(".data")));
uint64_t settings_size __attribute__((section(".data")));
uint64_t link1_vaddr __attribute__((section(".data")));
uint64_t link2_vaddr __attribute__((section(".data")));
uint64_t link3_vaddr __attribute__((section(".data")));
uint64_t link4_vaddr __attribute__((section(".data")));
uint64_t link5_vaddr __attribute__((section(".data")));
uint64_t link6_vaddr __attribute__((section(".data")));
uint64_t link7_vaddr __attribute__((section(".data")));
uint64_t link8_vaddr __attribute__((section(".data")));

static const uint64_t *const links[SWITCH_PORTS] = {0, &link1_vaddr, &link2_vaddr, &link3_vaddr,
	&link4_vaddr, &link5_vaddr, &link6_vaddr, &link7_vaddr, &link8_vaddr};

// State of the switch; one thread, written by the functions of this file only.
static struct switch_table table;
static struct net_end ends[SWITCH_PORTS];
static struct counts counts[SWITCH_PORTS];
static struct share shares[SWITCH_PORTS];
// The frame being switched: a copy that its sender can no longer change.
static uint8_t copy[NET_BUFFER_SIZE];

static bool is_port(unsigned port) {
	return port < SWITCH_PORTS && table.ports[port].kind != PORT_ABSENT;
}

static void give(unsigned port, unsigned source, uint32_t length) {
	struct net_sender *sender = &ends[port].out;
	int buffer = NET_NO_BUFFER;

	net_reclaim(sender);
	if (share_allows(&shares[port], source, sender->in_flight, sender->free))
		buffer = net_take(sender);
	if (buffer == NET_NO_BUFFER) {
		counts[port].dropped++;
		return;
	}
	share_take(&shares[port], source, (unsigned)buffer);
	memcpy((*sender->buffers)[buffer], copy, length);
	net_send(sender, (unsigned)buffer, length);
	counts[port].given++;
}

static void switch_frame(unsigned port, uint32_t length) {
	uint32_t targets;

	if (!switch_route(&table, port, copy, &targets)) {
		counts[port].refused++;
		return;
	}
	for (; targets != 0; targets &= targets - 1)
		give((unsigned)__builtin_ctz(targets), port, length);
}

// Returns whether the port may have more.
static bool take_batch(unsigned port) {
	struct net_receiver *receiver = &ends[port].in;

	for (unsigned i = 0; i < BATCH; i++) {
		struct net_frame frame;

		if (!net_receive(receiver, &frame)) return false;
		memcpy(copy, frame.bytes, frame.length);
		net_return(receiver, frame.buffer);
		counts[port].taken++;
		switch_frame(port, frame.length);
	}
	return true;
}

static void tell_ports(void) {
	for (unsigned i = 1; i < SWITCH_PORTS; i++) {
		if (is_port(i) && net_must_notify(&ends[i])) microkit_notify(i);
	}
}

// All are asked, as each empty one has to be marked for notification.
static bool may_sleep(void) {
	bool idle = true;

	for (unsigned i = 1; i < SWITCH_PORTS; i++) {
		if (is_port(i)) idle &= ring_may_sleep(&ends[i].in.filled);
	}
	return idle;
}

// One batch from each port; returns whether any may have more.
static bool take_batches(void) {
	bool more = false;

	for (unsigned i = 1; i < SWITCH_PORTS; i++) {
		if (is_port(i)) more |= take_batch(i);
	}
	return more;
}

// Ports are notified after each round, so that those of higher priority, like a card's driver, make
// room.
static void serve(void) {
	do {
		while (take_batches())
			tell_ports();
		tell_ports();
	} while (!may_sleep());
}

// A port without a region is no port.
static void attach(unsigned port) {
	if (!is_port(port)) return;
	if (net_attach(&ends[port], (void *)*links[port], NET_TO_STATION)) return;
	print("vswitch: port %u has no link in the description\n", port);
	table.ports[port].kind = PORT_ABSENT;
}

void init(void) {
	struct settings settings = settings_of(settings_vaddr, settings_size);
	unsigned wrong = switch_read(&table, &settings);

	if (wrong > 0)
		print("vswitch: settings, line %u is not `port 1..8 open` or `port 1..8 mac "
		      "ADDRESS`; it and those after it give no ports\n",
			wrong);
	for (unsigned i = 1; i < SWITCH_PORTS; i++)
		attach(i);
	serve();
}

void notified(microkit_channel) { serve(); }

microkit_msginfo protected(microkit_channel channel, microkit_msginfo message) {
	if (!is_port(channel)) return microkit_msginfo_new(NET_NO_PORT, 0);
	switch (microkit_msginfo_get_label(message)) {
	case NET_ADDRESS:
		microkit_mr_set(0, table.ports[channel].address);
		return microkit_msginfo_new(NET_OK, 1);
	case NET_COUNTS:
		microkit_mr_set(0, counts[channel].taken);
		microkit_mr_set(1, counts[channel].given);
		microkit_mr_set(2, counts[channel].dropped);
		microkit_mr_set(3, counts[channel].refused);
		return microkit_msginfo_new(NET_OK, 4);
	default: return microkit_msginfo_new(NET_BAD_REQUEST, 0);
	}
}
