// SPDX-License-Identifier: BSD-2-Clause
// The guest's PCI devices, each of which is there if the description wants it, or gives it a back
// end.
#pragma once

#include <vmm/device/terminal.h>
#include <vmm/device/watchdog.h>
#include <vmm/host/description.h>
#include <vmm/pci/host.h>
#include <vmm/pci/passed.h>
#include <vmm/virtio/balloon.h>
#include <vmm/virtio/blk_backend.h>
#include <vmm/virtio/console.h>
#include <vmm/virtio/net_backend.h>
#include <vmm/virtio/pci.h>
#include <vmm/virtio/rng.h>
#include <vmm/virtio/vsock.h>

enum {
	DEVICES_DISKS = DESCRIPTION_DISKS,
	DEVICES_NETS = DESCRIPTION_NETS,
	DEVICES_PASSED = DESCRIPTION_PASSED,
	DEVICES_SINGLE = 4, // entropy, balloon, sockets, console
	DEVICES_MOST = DEVICES_SINGLE + DEVICES_DISKS + DEVICES_NETS,
};

struct devices {
	// Set before devices_build.
	struct rng rng; // its source, or null
	bool has_balloon;
	struct blk_client disks[DEVICES_DISKS]; // queue, or null; without data: guest RAM; signal
	struct net_station nets[DEVICES_NETS]; // link, or null; signal
	uint8_t addresses[DEVICES_NETS][NET_MAC_BYTES];
	struct vsock vsock; // its streams: their number, ports, regions, signals
	uint64_t guest_cid;
	struct virtio_console console; // the number of its ports, and their names
	struct terminal ports[CONSOLE_PORTS]; // opened
	struct watchdog watchdog; // its clock, or null
	struct passed passed[DEVICES_PASSED]; // what precedes their functions
	const struct clock *clock; // the host's

	struct balloon balloon;
	struct blk blks[DEVICES_DISKS];
	struct net net_devices[DEVICES_NETS];
	struct virtio_pci transports[DEVICES_MOST];
	unsigned transport_count;
	uint64_t startable; // host TSC until which the machine's devices have to be left alone
};

// Puts the devices on the bus. False when one has no place there, or a back end no memory.
[[nodiscard]] bool devices_build(
	struct devices *devices, const struct guest_memory *memory, struct pci_host *pci);
void devices_reset(struct devices *devices);
// Whether all disks are known, no back end uses guest memory, and the machine's devices have ended
// their reset: the guest may start.
[[nodiscard]] bool devices_rest(const struct devices *devices);
void devices_start(struct devices *devices);
// A device of the machine's has sent a message: HOST_MESSAGES for each are counted.
void devices_message(struct devices *devices, unsigned number);
// Ports of the console whose other end was full are tried again.
void devices_poll(struct devices *devices);
[[nodiscard]] bool devices_blocked(const struct devices *devices);
// What devices have put off, if it is due, or the guest idles; and when that will be.
void devices_settle(struct devices *devices, bool idle);
[[nodiscard]] uint64_t devices_due(const struct devices *devices);
// Sends the other ends of the console's ports the output they have not been notified of.
void devices_flush(struct devices *devices);
