// SPDX-License-Identifier: BSD-2-Clause
// The balloon device.
#include <vmm/virtio/balloon.h>

enum { PLACES = 128, PAGE = 1 << VIRTIO_BALLOON_PAGE_SHIFT, BATCH = 64 };

enum role {
	INFLATE,
	DEFLATE,
	STATISTICS, // the device asks for none, and keeps the buffer
	HINTS, // the device asks for none
	REPORTING,
	NOTHING,
};

static struct balloon *balloon_of(struct virtio_device *device) { return (struct balloon *)device; }

// Drivers number the queues of the features that they accepted without gaps, whereas 5.5.2 has
// fixed numbers; to a driver that accepts all that is offered both are the same.
static enum role role_of(const struct balloon *balloon, unsigned number) {
	static const uint64_t features[BALLOON_QUEUES] = {
		[STATISTICS] = VIRTIO_BALLOON_F_STATS_VQ,
		[HINTS] = VIRTIO_BALLOON_F_FREE_PAGE_HINT,
		[REPORTING] = VIRTIO_BALLOON_F_PAGE_REPORTING,
	};
	unsigned role = INFLATE;

	for (; role < NOTHING; role++) {
		if (!virtio_has(&balloon->device, features[role])) continue;
		if (number-- == 0) break;
	}
	return (enum role)role;
}

static void move_page(struct balloon *balloon, enum role role, uint32_t number) {
	uint64_t address = (uint64_t)number << VIRTIO_BALLOON_PAGE_SHIFT;
	uint8_t *page = memory_at(balloon->device.memory, guest_physical(address), PAGE);

	if (!page) {
		balloon->pages_refused++;
	} else if (role == INFLATE) {
		balloon->pages_given++;
		if (balloon->given) balloon->given(balloon->context, page, PAGE);
	} else {
		balloon->pages_taken_back++;
		if (balloon->taken_back) balloon->taken_back(balloon->context, page, PAGE);
	}
}

// Both lists are of page numbers. One of more than all pages names some twice, and would keep the
// monitor from its other work, such as to stop this guest.
static bool move_pages(struct balloon *balloon, enum role role) {
	uint32_t numbers[BATCH];
	uint64_t place = 0;
	uint32_t count;

	if (balloon->chain.readable_bytes / sizeof(numbers[0]) >
		balloon->device.memory->size / PAGE)
		return false;
	do {
		count = virtio_chain_read(&balloon->chain, place, numbers, sizeof(numbers));
		place += count;
		count /= sizeof(numbers[0]);
		for (unsigned i = 0; i < count; i++)
			move_page(balloon, role, numbers[i]);
	} while (count == BATCH);
	return true;
}

// The buffers themselves are the free memory.
static void report(struct balloon *balloon) {
	const struct virtio_chain *chain = &balloon->chain;

	for (unsigned i = 0; i < chain->writable; i++) {
		const struct virtio_segment *free = &chain->segments[chain->readable + i];

		balloon->pages_reported += free->length / PAGE;
		if (balloon->given) balloon->given(balloon->context, free->bytes, free->length);
	}
}

static void balloon_notified(struct virtio_device *device, struct virtqueue *queue) {
	struct balloon *balloon = balloon_of(device);
	enum role role = role_of(balloon, (unsigned)(queue - balloon->queues));

	if (role == STATISTICS || role == HINTS || role == NOTHING) return;
	while (virtqueue_take(queue, &balloon->chain)) {
		if (role == REPORTING)
			report(balloon);
		else if (!move_pages(balloon, role))
			return virtio_break(device, "a list has more pages than the guest");
		virtqueue_put(queue, balloon->chain.token, 0);
	}
	virtqueue_signal(queue);
}

void balloon_ask(struct balloon *balloon, uint32_t pages) {
	balloon->config.num_pages = pages;
	virtio_config_changed(&balloon->device);
}

uint32_t balloon_pages(const struct balloon *balloon) { return balloon->config.actual; }

// A guest that starts anew has all of its memory.
static void balloon_reset(struct virtio_device *device) { balloon_of(device)->config.actual = 0; }

static const struct virtio_ops balloon_ops = {
	.name = "balloon",
	.id = VIRTIO_ID_BALLOON,
	.writable = VIRTIO_BALLOON_ACTUAL,
	.writable_end = VIRTIO_BALLOON_ACTUAL + sizeof(uint32_t),
	.reset = balloon_reset,
	.notified = balloon_notified,
};

void balloon_init(struct balloon *balloon) {
	for (unsigned i = 0; i < BALLOON_QUEUES; i++)
		balloon->queues[i].maximum = PLACES;
	balloon->device.ops = &balloon_ops;
	balloon->device.offered = VIRTIO_BALLOON_F_STATS_VQ | VIRTIO_BALLOON_F_DEFLATE_ON_OOM |
		VIRTIO_BALLOON_F_FREE_PAGE_HINT | VIRTIO_BALLOON_F_PAGE_REPORTING;
	balloon->device.queues = balloon->queues;
	balloon->device.queue_count = BALLOON_QUEUES;
	balloon->device.config = &balloon->config;
	balloon->device.config_size = sizeof(balloon->config);
}
