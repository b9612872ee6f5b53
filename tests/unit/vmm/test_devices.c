// SPDX-License-Identifier: BSD-2-Clause
// Unit tests of a machine with virtio devices, as main.c gets them from the description.
#include "rig.h"

#include <vmm/machine.h>

#include <lib/block/server.h>

#include <string.h>

static struct block_server server;
static struct block_queue queues[2] __attribute__((aligned(4096)));
static struct net_link wire __attribute__((aligned(4096)));
static struct stream streams[1] __attribute__((aligned(64)));
static unsigned signals;

static void signal(void *) { signals++; }

static void describe(void) {
	struct devices *devices = &machine.devices;

	memset(&server, 0, sizeof(server));
	memset(queues, 0, sizeof(queues));
	memset(&wire, 0, sizeof(wire));
	server.sectors = 100;
	for (unsigned i = 0; i < 2; i++) {
		const struct block_grant grant = {
			.queue = &queues[i],
			.data = machine.memory.bytes,
			.data_size = machine.memory.size,
			.first = i * 10,
		};

		check(block_server_add(&server, i, &grant));
		devices->disks[i] = (struct blk_client){.queue = &queues[i], .signal = signal};
	}
	devices->nets[0] = (struct net_station){.link = &wire, .signal = signal};
	devices->vsock.stream_count = 1;
	devices->vsock.streams[0] = (struct vsock_stream){
		.port = 1, .region = &streams[0], .signal = signal};
	devices->has_balloon = true;
	devices->console.port_count = 1;
}

// The drivers of the disks say what they are.
static void answer(void) {
	struct block_job job;

	check(!block_server_next(&server, &job));
	notify(HOST_CHANNEL_DISK);
	notify(HOST_CHANNEL_DISK + 1);
}

static void start(void) {
	signals = 0;
	rig_describe = describe;
	rig_fresh();
}

static void test_start(void) {
	start();
	check(!fake.running && machine.reset_due && signals == 2);
	notify(HOST_CHANNEL_DISK); // not yet
	check(!fake.running);
	answer();
	check(fake.running && !machine.reset_due);
	check_equal(machine.devices.blks[0].config.capacity, 100);
	check_equal(machine.devices.blks[1].config.capacity, 90);
	check_equal(machine.devices.transport_count, 6);
}

// A reset while the driver of a disk uses the guest's memory.
static void test_reset(void) {
	struct virtio_device *disk = &machine.devices.blks[0].device;

	start();
	answer();
	disk->held++;
	check(machine_reset(&machine));
	machine_settle(&machine);
	check(machine.reset_due && machine_is_stopped(&machine) && !fake.running);
	notify(HOST_CHANNEL_TIMER);
	check(!fake.running);
	virtio_release(disk);
	notify(HOST_CHANNEL_DISK);
	check(!machine.reset_due && fake.running && disk->status == 0);
}

// A guest that does much to its devices, by their registers and where these are; each time the
// same.
static void disturb(void) {
	uint64_t seed = 1;

	for (unsigned i = 0; i < PCI_SLOTS; i++) {
		uint64_t place = PCI_ECAM_BASE + (i << 15);

		bus_write(&machine.memory_bus, place + PCI_REGISTER_BAR, BUS_WIDTH_4,
			0xc0000000 + 0x10000 * i);
		bus_write(&machine.memory_bus, place + PCI_REGISTER_COMMAND, BUS_WIDTH_2, 7);
	}
	for (unsigned i = 0; i < 2000; i++) {
		uint64_t place;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		place = 0xc0000000 + 0x10000 * (seed >> 33 & 31) + (seed >> 40 & 0x303c);
		bus_write(&machine.memory_bus, place, BUS_WIDTH_4, seed >> 32 >> (seed >> 59));
	}
	port(0x3f9, 0, 15);
	bus_write(&machine.memory_bus, IOAPIC_ADDRESS, BUS_WIDTH_4, 0x18);
	bus_write(&machine.memory_bus, IOAPIC_ADDRESS + 0x10, BUS_WIDTH_4, 0x31);
	port(0xcf9, 0, 6);
	answer();
	check(fake.running);
	clear_log();
}

// The machine as it is after a start, without what counts starts, requests and bytes.
static void take_state(struct machine *state) {
	memcpy(state, &machine, sizeof(*state));
	memset(&state->life, 0, sizeof(state->life));
	memset(state->terminals, 0, sizeof(state->terminals));
	state->told = 0;
	for (unsigned i = 0; i < 2; i++)
		state->devices.disks[i].sequence = 0;
}

// After a thousand restarts everything in the monitor is as after one.
static void test_restarts(void) {
	static struct machine before, after;

	start();
	answer();
	disturb();
	take_state(&before);
	for (unsigned i = 0; i < 1000; i++)
		disturb();
	check_equal(machine.life.starts, 1002);
	take_state(&after);
	check(memcmp(&before, &after, sizeof(before)) == 0);
}

static void test_places(void) {
	start();
	answer();
	notify(HOST_CHANNEL_NET);
	notify(HOST_CHANNEL_NET + 1); // there is none
	notify(HOST_CHANNEL_SOCKET);
	notify(HOST_CHANNEL_PORT);
	notify(HOST_CHANNELS + 1);
	check(fake.running);
}

static const struct test tests[] = {
	{"devices-start", "A guest starts when all of its disks are known", test_start},
	{"devices-reset", "A guest is reset when no back end uses its memory any more", test_reset},
	{"devices-restarts", "A thousand restarts leave the monitor as one does", test_restarts},
	{"devices-places", "Notifications reach the devices that are there", test_places},
};

int main(void) {
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));

	rig_free();
	return status;
}
