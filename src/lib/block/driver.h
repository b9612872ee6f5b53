// SPDX-License-Identifier: BSD-2-Clause
// What the drivers of disks with an interrupt have in common: one job at the device at a time, and
// a watch on devices that stop answering.
#pragma once

#include <lib/block/device.h>
#include <lib/block/grants.h>

// When a shared or level-triggered interrupt is acknowledged: its line must be quiet by then. An
// edge that comes before the acknowledgement is lost, so there the device is looked at afterwards.
enum block_trigger {
	BLOCK_EDGE,
	BLOCK_LEVEL,
};

struct block_device {
	enum block_trigger trigger;
	// Reset and identify; returns the sectors of the disk, 0 when there is none that works.
	uint64_t (*reset)(void);
	enum block_progress (*start)(const struct block_job *job);
	enum block_progress (*interrupt)(void);
};

// From `init` and `notified` of the driver.
void driver_start(const struct block_device *device);
void driver_notified(microkit_channel channel);
