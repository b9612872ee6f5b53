// SPDX-License-Identifier: BSD-2-Clause
// The block protocol: how a client reads and writes sectors of a disk that a driver owns.
// docs/reference/block.md explains it. A client shares a queue (requests to the driver, completions
// back), a data region, and a notification channel with the driver.
#pragma once

#include <abi/compiler.h>
#include <nacre/ring.h>

enum {
	BLOCK_SECTOR = 512, // bytes; also the alignment of data in the data region
	BLOCK_CAPACITY = 64, // requests of a client under way
	BLOCK_MAXIMUM = 256, // sectors of one request
};

enum block_kind {
	BLOCK_IDENTIFY = 1, // struct block_information is written to `data`
	BLOCK_READ = 2,
	BLOCK_WRITE = 3,
	BLOCK_FLUSH = 4, // data of completed requests is on the medium afterwards
	// Only if `kinds` of struct block_information says so. Any number of sectors, without data.
	BLOCK_DISCARD = 5, // the sectors are no longer needed; their contents are undefined then
	BLOCK_WRITE_ZEROES = 6,
};

enum block_status {
	BLOCK_OK = 0,
	BLOCK_BAD_REQUEST = 1, // unknown kind, or no sectors, or too many
	BLOCK_OUT_OF_RANGE = 2, // sectors outside the client's range
	BLOCK_BAD_DATA = 3, // data outside the data region, or not aligned
	BLOCK_READ_ONLY = 4, // a write by a client that may only read
	BLOCK_DEVICE_ERROR = 5, // the device reported an error
	BLOCK_TIME_OUT = 6, // the device does not respond
	BLOCK_NO_DEVICE = 7, // there is no disk
};

struct block_request {
	uint64_t tag; // chosen by the client; returned in the completion
	uint64_t sector; // first one, counted from the start of the client's range
	uint64_t data; // offset in the data region
	uint32_t count; // sectors
	uint32_t kind;
};

struct block_completion {
	uint64_t tag;
	uint32_t status;
	uint32_t count; // sectors that were read or written
};

// What is known to a client about its disk.
struct block_information {
	uint64_t sectors;
	uint32_t sector_size;
	uint32_t maximum; // sectors of one request
	uint32_t read_only; // 0 or 1
	uint32_t kinds; // bit k: enum block_kind k, of those that not every disk has
};

ABI_ASSERT(sizeof(struct block_request) == 32 && sizeof(struct block_completion) == 16);
ABI_ASSERT(sizeof(struct block_information) == 24);

// One page of memory, zeroed at first.
struct block_queue {
	uint8_t requests[RING_HEADER + BLOCK_CAPACITY * sizeof(struct block_request)]
		__attribute__((aligned(RING_LINE)));
	uint8_t completions[RING_HEADER + BLOCK_CAPACITY * sizeof(struct block_completion)]
		__attribute__((aligned(RING_LINE)));
};

ABI_ASSERT(sizeof(struct block_queue) <= 0x1000);

// One side's ends of the two rings.
struct block_end {
	struct ring_end requests;
	struct ring_end completions;
};

// Client: initialise its side, once; false without a queue. Then
//   ring_put(&end.requests, &request)       makes a request, several times if needed;
//   ring_must_notify(&end.requests)         says whether to notify the driver after that;
//   ring_get(&end.completions, &completion) returns completed requests, in any order;
//   ring_may_sleep(&end.completions)        before waiting for the driver's notification;
//   ring_must_notify_producer(&end.completions) whether to notify the driver after taking some.
ABI_MUST_USE static inline bool block_open(struct block_end *end, struct block_queue *queue) {
	return queue &&
		ring_attach_producer(&end->requests, queue->requests, sizeof(queue->requests),
			sizeof(struct block_request)) &&
		ring_attach_consumer(&end->completions, queue->completions,
			sizeof(queue->completions), sizeof(struct block_completion));
}

// Driver: initialise its side, once; false without a queue.
ABI_MUST_USE static inline bool block_serve(struct block_end *end, struct block_queue *queue) {
	return queue &&
		ring_attach_consumer(&end->requests, queue->requests, sizeof(queue->requests),
			sizeof(struct block_request)) &&
		ring_attach_producer(&end->completions, queue->completions,
			sizeof(queue->completions), sizeof(struct block_completion));
}
