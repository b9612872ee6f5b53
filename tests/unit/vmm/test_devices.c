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
	{"devices-places", "Notifications reach the devices that are there", test_places},
};

int main(void) {
	int status = check_run(tests, sizeof(tests) / sizeof(tests[0]));

	rig_free();
	return status;
}
