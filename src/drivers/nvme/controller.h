// SPDX-License-Identifier: BSD-2-Clause
// An NVMe controller with one namespace: one command at a time. Pure but for its registers and the
// memory it shares with the controller.
#pragma once

#include <drivers/nvme/queue.h>
#include <lib/block/device.h>

// The memory that driver and controller share: a page each.
enum {
	NVME_PAGE = 0x1000,
	DMA_ADMIN_COMMANDS = 0 * NVME_PAGE,
	DMA_ADMIN_COMPLETIONS = 1 * NVME_PAGE,
	DMA_COMMANDS = 2 * NVME_PAGE,
	DMA_COMPLETIONS = 3 * NVME_PAGE,
	DMA_IDENTIFY = 4 * NVME_PAGE,
	DMA_PAGES = 5 * NVME_PAGE, // addresses of a transfer's pages
	DMA_LEFT = 6 * NVME_PAGE,
	DMA_BYTES = 7 * NVME_PAGE,
};

// What a driver that is restarted leaves to its successor in the shared memory.
struct nvme_left {
	uint16_t is_active; // a command is under way, or its answer was not taken
	uint16_t id; // of the command
	uint16_t head; // of the completions
	uint16_t phase;
};

struct nvme_controller {
	uint8_t *memory; // DMA_BYTES
	uint64_t paddr; // of the memory
	uint64_t registers_size;
	struct nvme_queue admin;
	struct nvme_queue queue;
	bool active; // a command is under way
};

// Resets the controller and identifies its first namespace; returns its sectors, 0 when there is
// none that works.
[[nodiscard]] uint64_t nvme_reset(struct nvme_controller *controller);

[[nodiscard]] enum block_progress nvme_start(
	struct nvme_controller *controller, const struct block_job *job);

// Handles an interrupt; afterwards the controller's interrupt line is inactive.
[[nodiscard]] enum block_progress nvme_interrupt(struct nvme_controller *controller);
