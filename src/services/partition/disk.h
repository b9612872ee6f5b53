// SPDX-License-Identifier: BSD-2-Clause
// The service as a client of the disk's driver: requests under way, oldest first. Pure but for the
// shared queue.
#pragma once

#include <lib/block/server.h>

// A request at the driver.
struct disk_request {
	bool is_own; // of the service itself, with no job
	bool is_copied; // its data pass through the service's buffer
	bool is_done;
	enum block_status status;
	struct block_job job;
};

struct disk {
	struct block_end end;
	uint64_t first_tag;
	uint64_t sent; // requests so far
	uint64_t ended; // of these
	struct disk_request requests[BLOCK_CAPACITY];
};

// False without a queue. Tags count from `first_tag`: with another one at each start, answers to a
// predecessor's requests are known as such.
[[nodiscard]] bool disk_open(struct disk *disk, struct block_queue *queue, uint64_t first_tag);

[[nodiscard]] bool disk_has_room(struct disk *disk);

// Sends a request, for which there must be room; its tag is set. `kept` says whose it is.
void disk_send(struct disk *disk, struct block_request *request, const struct disk_request *kept);

// Takes the driver's answers. False when the driver will notify of the next one.
[[nodiscard]] bool disk_receive(struct disk *disk);

// The oldest request if it has its answer: it is no longer under way.
[[nodiscard]] bool disk_next(struct disk *disk, struct disk_request *ended);

// Whether the driver has to be notified now.
[[nodiscard]] bool disk_must_notify(struct disk *disk);
