// SPDX-License-Identifier: BSD-2-Clause
// A virtio device on PCI as its driver sees it: start, configuration, queues, interrupts
// (virtio 1.2, 3.1 and 4.1). Pure but for the registers.
#pragma once

#include <lib/virtio/places.h>
#include <virtio/virtio.h>

struct virtio_transport {
	struct virtio_places places;
};

// Where a split queue lies in physical memory.
struct virtio_queue_place {
	uint16_t number;
	uint16_t size; // descriptors; a power of two
	uint64_t descriptors;
	uint64_t driver;
	uint64_t device;
};

// Resets the device and agrees on those of the features `wanted` that it offers; they are
// `agreed`. False when the device does not answer, or lacks one of `needed`.
[[nodiscard]] bool virtio_begin(const struct virtio_transport *transport, uint64_t needed,
	uint64_t wanted, uint64_t *agreed);

// Gives the device a queue; afterwards `notify` is the register that announces work in it. False
// when it has no such queue or none of that size.
[[nodiscard]] bool virtio_queue_start(const struct virtio_transport *transport,
	const struct virtio_queue_place *place, uint64_t *notify);

// From now on the device works.
void virtio_run(const struct virtio_transport *transport);

// A field of 64 bits of the configuration, as it was at one moment; false when the device has none
// there, or does not stop changing it.
[[nodiscard]] bool virtio_config_read64(
	const struct virtio_transport *transport, unsigned offset, uint64_t *value);

// Why the device interrupted; its line is inactive afterwards.
uint32_t virtio_interrupt(const struct virtio_transport *transport);

// Whether it reports that it cannot go on without a reset.
[[nodiscard]] bool virtio_is_broken(const struct virtio_transport *transport);
