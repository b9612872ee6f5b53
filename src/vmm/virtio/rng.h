// SPDX-License-Identifier: BSD-2-Clause
// The entropy device (virtio 1.2, 5.4): fills the guest's buffers with random bytes.
#pragma once

#include <vmm/virtio/queue.h>

struct rng {
	struct virtio_device device;
	struct virtqueue queue;
	struct virtio_chain chain; // the one being served
	// The source of randomness: writes that many bytes; false if it has failed.
	void *context;
	bool (*fill)(void *context, uint8_t *bytes, uint32_t length);
};

// Prepares the device, whose source is set; memory and transport are still to be set.
void rng_init(struct rng *rng);
