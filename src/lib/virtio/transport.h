// SPDX-License-Identifier: BSD-2-Clause
// A virtio device on PCI as its driver sees it: start, configuration, queues, interrupts
// (virtio 1.2, 3.1 and 4.1). Pure but for the registers.
#pragma once

#include <lib/virtio/places.h>
#include <lib/virtio/queue.h>
#include <virtio/virtio.h>

// Resets the device and agrees on those of the features `wanted` that it offers; they are
// `agreed`. False when the device does not answer, or lacks one of `needed`.
[[nodiscard]] bool virtio_begin(
	const struct virtio_places *places, uint64_t needed, uint64_t wanted, uint64_t *agreed);

// Resets the device, which then does nothing and moves no memory any more. False when it does not
// answer.
[[nodiscard]] bool virtio_stop(const struct virtio_places *places);

// Gives the device a queue that was laid out at `paddr` of physical memory. False when it has no
// such queue or none of that size.
[[nodiscard]] bool virtio_queue_start(
	const struct virtio_places *places, struct virtio_queue *queue, uint64_t paddr);

// From now on the device works.
void virtio_run(const struct virtio_places *places);

// Reads fields of the configuration, as they were at one moment, each in its own width of 1, 2 or 4
// (those of 8 bytes in halves: 4.1.3.1). False when the device has none there, or does not stop
// changing them.
[[nodiscard]] bool virtio_config_read(const struct virtio_places *places, unsigned offset,
	unsigned width, void *fields, size_t bytes);

// Why the device interrupted; its line is inactive afterwards.
uint32_t virtio_interrupt(const struct virtio_places *places);

// Whether it reports that it cannot go on without a reset.
[[nodiscard]] bool virtio_is_broken(const struct virtio_places *places);
