// SPDX-License-Identifier: BSD-2-Clause
// The block device (virtio 1.2, 5.2): a disk of the guest. Requests of the guest become parts, each
// one piece of guest memory and as many sectors; the back end does them in any order.
#pragma once

#include <vmm/virtio/queue.h>

#include <nacre/protocol/block.h>
#include <virtio/block.h>

enum { BLK_REQUESTS = 64 };

struct blk_part {
	enum block_kind kind;
	uint32_t tag; // for blk_done
	uint64_t sector;
	uint8_t *bytes; // count sectors of guest memory; null where no data move
	uint32_t count; // sectors
};

// The other end of the cable.
struct blk_backend {
	void *context;
	// Takes a part; false when it has no room. It calls blk_done when the part has been done,
	// and blk_settle after a batch of those.
	bool (*submit)(void *context, const struct blk_part *part);
	// Ends a batch of parts. Whether blk_done was called meanwhile.
	bool (*commit)(void *context);
	uint32_t maximum; // sectors of a part
};

// A request of the guest under way.
struct blk_request {
	struct virtqueue_token token;
	uint8_t *status; // in guest memory
	uint32_t written; // bytes of guest memory, when it succeeds
	uint32_t parts; // at the back end
	enum virtio_blk_status result;
	bool dropped; // the device was reset meanwhile
	bool flush; // after its parts: the driver believes in a disk without a write cache
};

struct blk {
	struct virtio_device device;
	struct virtqueue queue;
	struct virtio_blk_config config;
	char serial[VIRTIO_BLK_ID];
	struct blk_backend backend;
	struct blk_request requests[BLK_REQUESTS];
	uint64_t free; // bit i: requests[i] is not in use
	uint64_t flushes; // bit i: requests[i] waits for a place for its flush
	// The request that is being divided into parts.
	struct virtio_chain chain;
	struct blk_part next;
	bool single; // `next` is all of it
	uint32_t segment, offset; // where `next` begins
	uint64_t left; // bytes of data, from `next` on; 0 when there is no such request
};

// Prepares a disk; back end and serial number are set. Memory and transport are still to be set.
void blk_init(struct blk *blk, const struct block_information *information);
// A part has been done.
void blk_done(struct blk *blk, uint32_t tag, bool success);
// After a batch of those: goes on with what waits, and interrupts the guest if it waits.
void blk_settle(struct blk *blk);
