// SPDX-License-Identifier: BSD-2-Clause
// The virtual switch: each port in turn.
#include <microkit.h>

#include <nacre/print.h>
#include <services/vswitch/forward.h>

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
static struct forwarder forwarder;
static uint32_t attached; // ports, a bit each

static void tell(unsigned port) {
	if (net_must_notify(&forwarder.ends[port])) microkit_notify(port);
}

static void tell_ports(void) {
	for (uint32_t ports = attached; ports != 0; ports &= ports - 1)
		tell((unsigned)__builtin_ctz(ports));
}

// All are asked, as each empty one has to be marked for notification.
static bool may_sleep(void) {
	bool idle = true;

	for (uint32_t ports = attached; ports != 0; ports &= ports - 1)
		idle &= ring_may_sleep(&forwarder.ends[__builtin_ctz(ports)].in.filled);
	return idle;
}

// One batch from each port; returns whether any may have more.
static bool take_batches(void) {
	bool more = false;

	for (uint32_t ports = attached; ports != 0; ports &= ports - 1)
		more |= forward_batch(&forwarder, (unsigned)__builtin_ctz(ports));
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
	if (!forward_has(&forwarder, port)) return;
	if (forward_attach(&forwarder, port, (void *)*links[port])) {
		attached |= 1u << port;
		return;
	}
	print("vswitch: port %u has no link in the description\n", port);
	switch_remove(&forwarder.table, port);
}

void init(void) {
	struct settings settings = settings_of(settings_vaddr, settings_size);
	unsigned wrong = switch_read(&forwarder.table, &settings);

	forwarder.tell = tell;
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
	const struct switch_counts *counts = &forwarder.counts[channel % SWITCH_PORTS];

	if (!forward_has(&forwarder, channel)) return microkit_msginfo_new(NET_NO_PORT, 0);
	switch (microkit_msginfo_get_label(message)) {
	case NET_ADDRESS:
		microkit_mr_set(0, forwarder.table.ports[channel].address);
		return microkit_msginfo_new(NET_OK, 1);
	case NET_COUNTS:
		microkit_mr_set(0, counts->taken);
		microkit_mr_set(1, counts->given);
		microkit_mr_set(2, counts->dropped);
		microkit_mr_set(3, counts->refused);
		microkit_mr_set(4, counts->unfinished);
		return microkit_msginfo_new(NET_OK, 5);
	default: return microkit_msginfo_new(NET_BAD_REQUEST, 0);
	}
}
