// SPDX-License-Identifier: BSD-2-Clause
// Common to the drivers of disks with an interrupt: one job at the device at a time, and a time-out
// for devices that stop responding.
#pragma once

#include <lib/block/device.h>
#include <lib/block/grants.h>

// When a shared or level-triggered interrupt is acknowledged: its line must be inactive by then. An
// edge that comes before the acknowledgement is lost, so there the device is polled afterwards.
enum block_trigger {
	BLOCK_EDGE,
	BLOCK_LEVEL,
};

struct block_device {
	enum block_trigger trigger;
	// Once, before all else: whether the driver can reach the device; says why it cannot. Null:
	// it always can.
	bool (*open)(void);
	// Reset and identify; returns the sectors of the disk, 0 when there is none that works.
	uint64_t (*reset)(void);
	enum block_progress (*start)(const struct block_job *job);
	enum block_progress (*interrupt)(void);
};

// From `init` of the driver; its `notified` is here.
void driver_start(const struct block_device *device);
