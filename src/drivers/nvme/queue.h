// SPDX-License-Identifier: BSD-2-Clause
// A submission queue and its completion queue, for one command at a time (NVMe 1.4, 4.1 and 4.6).
// Nothing that the controller writes is believed before it was checked.
#pragma once

#include <stdbool.h>

#include <drivers/nvme/registers.h>

enum {
	NVME_ENTRIES = 4, // of each queue
};

struct nvme_queue {
	uint16_t number;
	struct nvme_command *commands;
	struct nvme_completion *completions;
	uint64_t tail_doorbell;
	uint64_t head_doorbell;
	uint16_t tail; // of the commands
	uint16_t head; // of the completions
	uint16_t phase; // of the next completion
	uint16_t id; // of the last command
};

enum nvme_answer {
	NVME_NONE, // yet
	NVME_OK,
	NVME_ERROR, // the controller reports an error
	NVME_STRANGE, // an answer to no command
};

// Empty queues, whose memory must be zero.
void nvme_queue_begin(struct nvme_queue *queue, uint32_t stride);

// Starts a command; its id is set.
void nvme_queue_send(struct nvme_queue *queue, const struct nvme_command *command);

// Takes the next answer from the queue.
[[nodiscard]] enum nvme_answer nvme_queue_take(struct nvme_queue *queue);
