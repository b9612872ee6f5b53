// SPDX-License-Identifier: BSD-2-Clause
// The back end of a disk: a client of the block protocol. Where the data region that it shares with
// the driver is the guest's RAM, nothing is copied.
#pragma once

#include <vmm/virtio/blk.h>

struct blk_slot {
	uint64_t tag; // of the protocol; a wrong one is not answered
	uint32_t part;
	uint8_t *copy_to; // guest memory for the data read, or null
	uint32_t bytes;
	uint64_t place; // in the data region
};

struct blk_client {
	struct blk *blk;
	unsigned number; // of those that share the data region
	struct block_queue *queue;
	uint8_t *data;
	uint64_t data_size;
	void (*signal)(void *context); // notifies the driver
	void *context;

	struct block_end end;
	struct blk_slot slots[BLOCK_CAPACITY];
	uint64_t free; // bit i: slots[i] is not in use
	uint64_t failed; // bit i: slots[i] cannot be done, and waits for blk_done
	uint32_t sequence; // of the last part
	bool submitted, taken; // requests and answers, since the last commit
	bool ready; // the disk is known, and blk prepared
};

// Asks the driver what disk it is; the first members are set. False without a queue, or with a data
// region that is too small.
[[nodiscard]] bool blk_client_open(struct blk_client *client);
// The driver has notified: takes its answers. The first one prepares the disk.
void blk_client_notified(void *client);
