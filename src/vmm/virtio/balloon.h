// SPDX-License-Identifier: BSD-2-Clause
// The balloon device (virtio 1.2, 5.5): memory that the guest gives back for a while, because it
// was asked to, or because it does not use it (free page reporting, 5.5.6.7).
#pragma once

#include <vmm/virtio/queue.h>

#include <virtio/balloon.h>

enum { BALLOON_QUEUES = 5 };

struct balloon {
	struct virtio_device device;
	struct virtqueue queues[BALLOON_QUEUES];
	struct virtio_balloon_config config;
	struct virtio_chain chain; // the one being served
	// The guest does not use these bytes until they are taken back, or, of reported ones, until
	// the call returns. They may have any contents then. Both may be null.
	void *context;
	void (*given)(void *context, uint8_t *bytes, uint64_t length);
	void (*taken_back)(void *context, uint8_t *bytes, uint64_t length);
	uint64_t pages_given, pages_taken_back, pages_reported; // since the start
	uint64_t pages_refused; // outside RAM
};

// Prepares the device. Memory and transport are still to be set.
void balloon_init(struct balloon *balloon);
// Asks the guest to give that many pages.
void balloon_ask(struct balloon *balloon, uint32_t pages);
// Pages that it says it has given.
[[nodiscard]] uint32_t balloon_pages(const struct balloon *balloon);
