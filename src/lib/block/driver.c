// SPDX-License-Identifier: BSD-2-Clause
// Passes one job after the other from the clients to the device, and its answer back.
#include <lib/block/driver.h>

#include <lib/block/watch.h>
#include <nacre/print.h>

// State of the driver; one thread, written by the functions of this file only.
static const struct block_device *device;
static struct block_server server;
static struct block_job job; // at the device while `busy`
static bool busy;
static bool is_open;

static void reset(void) {
	if (!is_open) return;
	server.sectors = device->reset();
	if (server.sectors == 0) print("%s: there is no disk\n", microkit_name);
}

static void finish(enum block_status status) {
	busy = false;
	block_server_finish(&server, &job, status, status == BLOCK_OK ? job.count : 0);
}

static void finish_stuck(void) {
	print("%s: the device does not respond and is reset\n", microkit_name);
	reset();
	finish(BLOCK_TIME_OUT);
}

static void settle(enum block_progress progress) {
	switch (progress) {
	case BLOCK_IDLE:
	case BLOCK_UNDER_WAY: break;
	case BLOCK_DONE: finish(BLOCK_OK); break;
	case BLOCK_FAILED: finish(BLOCK_DEVICE_ERROR); break;
	case BLOCK_STUCK: finish_stuck(); break;
	}
}

// Give the device the next job; without one, every client will notify.
static void pump(void) {
	while (!busy && block_server_next(&server, &job)) {
		busy = true;
		watch_begin();
		settle(device->start(&job));
	}
	grants_notify(&server);
}

void driver_start(const struct block_device *served) {
	device = served;
	is_open = !device->open || device->open();
	reset();
	if (server.sectors > 0) print("%s: %lu sectors\n", microkit_name, server.sectors);
	grants_open(&server);
	// A restarted driver begins with work. The runtime unmasks the interrupt only after `init`,
	// and an edge before that would be lost.
	microkit_irq_ack(BLOCK_CHANNEL_IRQ);
	pump();
}

static void interrupt(void) {
	enum block_progress progress;

	if (device->trigger == BLOCK_EDGE) microkit_irq_ack(BLOCK_CHANNEL_IRQ);
	progress = device->interrupt();
	if (device->trigger == BLOCK_LEVEL) microkit_irq_ack(BLOCK_CHANNEL_IRQ);
	if (busy) settle(progress);
}

void notified(microkit_channel channel) {
	if (channel == BLOCK_CHANNEL_IRQ)
		interrupt();
	else if (channel == BLOCK_CHANNEL_TIMER && watch_is_over() && busy)
		finish_stuck();
	pump();
}
