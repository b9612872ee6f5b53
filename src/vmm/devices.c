// SPDX-License-Identifier: BSD-2-Clause
// The guest's PCI devices and their back ends.
#include <vmm/devices.h>

#include <vmm/host/host.h>

#include <base/format.h>

// Of the PCI bus; a kind of device has the same ones in each guest.
enum slot {
	SLOT_RNG = 1,
	SLOT_BALLOON = 2,
	SLOT_VSOCK = 3,
	SLOT_CONSOLE = 4,
	SLOT_DISK = 5, // and the following ones
	SLOT_NET = SLOT_DISK + DEVICES_DISKS,
	SLOT_PASSED = SLOT_NET + DEVICES_NETS,
	SLOT_WATCHDOG = 29, // as in the chip that it is of
};

enum { MICROSECONDS = 1000000 };

struct building {
	struct devices *devices;
	const struct guest_memory *memory;
	struct pci_host *pci;
};

static bool add(const struct building *building, unsigned slot, struct virtio_device *device) {
	struct devices *devices = building->devices;
	struct virtio_pci *transport = &devices->transports[devices->transport_count++];

	device->memory = building->memory;
	virtio_pci_init(transport, device);
	return pci_host_add(building->pci, slot, &transport->function);
}

static bool add_disk(const struct building *building, unsigned number) {
	struct blk_client *client = &building->devices->disks[number];
	struct blk *blk = &building->devices->blks[number];

	if (!client->queue) return true;
	format_text(blk->serial, sizeof(blk->serial), "disk%u", number);
	blk->device.memory = building->memory;
	client->blk = blk;
	client->number = number;
	if (!client->data) {
		client->data = building->memory->bytes;
		client->data_size = building->memory->size;
	}
	return blk_client_open(client) && add(building, SLOT_DISK + number, &blk->device);
}

static bool add_net(const struct building *building, unsigned number) {
	struct net_station *station = &building->devices->nets[number];

	if (!station->link) return true;
	station->net = &building->devices->net_devices[number];
	station->net->clock = building->devices->clock;
	return net_station_open(station, building->devices->addresses[number]) &&
		add(building, SLOT_NET + number, &station->net->device);
}

static bool add_console(const struct building *building) {
	struct devices *devices = building->devices;
	struct virtio_console *console = &devices->console;

	if (console->port_count == 0) return true;
	for (unsigned i = 0; i < console->port_count; i++)
		console->ports[i].backend = terminal_backend(&devices->ports[i]);
	virtio_console_init(console);
	return add(building, SLOT_CONSOLE, &console->device);
}

static bool add_rng(const struct building *building) {
	struct rng *rng = &building->devices->rng;

	if (!rng->fill) return true;
	rng_init(rng);
	return add(building, SLOT_RNG, &rng->device);
}

static bool add_balloon(const struct building *building) {
	if (!building->devices->has_balloon) return true;
	balloon_init(&building->devices->balloon);
	return add(building, SLOT_BALLOON, &building->devices->balloon.device);
}

static bool add_vsock(const struct building *building) {
	struct vsock *vsock = &building->devices->vsock;

	if (vsock->stream_count == 0) return true;
	return vsock_init(vsock, building->devices->guest_cid) &&
		add(building, SLOT_VSOCK, &vsock->device);
}

static bool add_watchdog(const struct building *building) {
	struct watchdog *watchdog = &building->devices->watchdog;

	if (!watchdog->clock) return true;
	watchdog_init(watchdog);
	return pci_host_add(building->pci, SLOT_WATCHDOG, &watchdog->function);
}

static bool add_passed(const struct building *building, unsigned number) {
	struct passed *passed = &building->devices->passed[number];

	if (!passed->window) return true;
	return passed_init(passed, number) &&
		pci_host_add(building->pci, SLOT_PASSED + number, &passed->function);
}

bool devices_build(
	struct devices *devices, const struct guest_memory *memory, struct pci_host *pci) {
	const struct building building = {devices, memory, pci};

	for (unsigned i = 0; i < DEVICES_DISKS; i++)
		if (!add_disk(&building, i)) return false;
	for (unsigned i = 0; i < DEVICES_NETS; i++)
		if (!add_net(&building, i)) return false;
	for (unsigned i = 0; i < DEVICES_PASSED; i++)
		if (!add_passed(&building, i)) return false;
	return add_rng(&building) && add_balloon(&building) && add_vsock(&building) &&
		add_console(&building) && add_watchdog(&building);
}

void devices_reset(struct devices *devices) {
	for (unsigned i = 0; i < devices->transport_count; i++)
		virtio_pci_reset(&devices->transports[i]);
	watchdog_reset(&devices->watchdog);
	for (unsigned i = 0; i < DEVICES_PASSED; i++) {
		struct passed *passed = &devices->passed[i];
		uint64_t wait = passed->window ? passed_stop(passed) : 0;

		if (wait > 0)
			devices->startable = devices->clock->read() +
				clock_ticks(devices->clock, wait, MICROSECONDS);
	}
}

void devices_message(struct devices *devices, unsigned number) {
	pci_message(&devices->passed[number / HOST_MESSAGES].function, number % HOST_MESSAGES);
}

void devices_start(struct devices *devices) {
	for (unsigned i = 0; i < DEVICES_PASSED; i++)
		if (devices->passed[i].window) passed_start(&devices->passed[i]);
}

bool devices_rest(const struct devices *devices) {
	for (unsigned i = 0; i < DEVICES_DISKS; i++)
		if (devices->disks[i].queue && !devices->disks[i].ready) return false;
	for (unsigned i = 0; i < devices->transport_count; i++)
		if (devices->transports[i].device->held > 0) return false;
	return devices->clock->read() >= devices->startable;
}

void devices_poll(struct devices *devices) { virtio_console_retry(&devices->console); }

bool devices_blocked(const struct devices *devices) {
	return virtio_console_blocked(&devices->console);
}

void devices_settle(struct devices *devices, bool idle) {
	for (unsigned i = 0; i < DEVICES_NETS; i++)
		if (devices->nets[i].link) net_settle(&devices->net_devices[i], idle);
}

uint64_t devices_due(const struct devices *devices) {
	uint64_t due = CLOCK_NEVER;

	for (unsigned i = 0; i < DEVICES_NETS; i++)
		if (devices->nets[i].link && devices->net_devices[i].burst.due < due)
			due = devices->net_devices[i].burst.due;
	return due;
}

void devices_flush(struct devices *devices) {
	for (unsigned i = 0; i < devices->console.port_count; i++)
		terminal_flush(&devices->ports[i]);
}
