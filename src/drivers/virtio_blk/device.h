// SPDX-License-Identifier: BSD-2-Clause
// A virtio block device (virtio 1.2, 5.2): one request at a time in a split queue of four
// descriptors. Pure but for its registers and the page of memory it shares with the device.
#pragma once

#include <lib/block/device.h>
#include <lib/virtio/transport.h>

enum {
	VIRTIO_BLK_MEMORY = 0x1000, // bytes that driver and device share
};

struct virtio_blk {
	struct virtio_places places;
	uint8_t *memory;
	uint64_t paddr; // of the memory
	struct virtio_queue queue; // since the reset
	bool has_flush;
	bool active; // a request is under way
};

// Resets the device; returns its sectors, 0 when there is none that works.
[[nodiscard]] uint64_t virtio_blk_reset(struct virtio_blk *device);

[[nodiscard]] enum block_progress virtio_blk_start(
	struct virtio_blk *device, const struct block_job *job);

// Handles an interrupt; afterwards the device's interrupt line is inactive.
[[nodiscard]] enum block_progress virtio_blk_interrupt(struct virtio_blk *device);
