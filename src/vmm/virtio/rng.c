// SPDX-License-Identifier: BSD-2-Clause
// The entropy device.
#include <vmm/virtio/rng.h>

enum {
	PLACES = 64,
	LIMIT = 256, // bytes of one answer; a device may use less than the whole buffer (5.4.6.2)
};

static struct rng *rng_of(struct virtio_device *device) { return (struct rng *)device; }

static uint32_t fill_chain(struct rng *rng, const struct virtio_chain *chain) {
	uint32_t done = 0;

	for (unsigned i = 0; i < chain->writable && done < LIMIT; i++) {
		const struct virtio_segment *segment = &chain->segments[chain->readable + i];
		uint32_t size = segment->length < LIMIT - done ? segment->length : LIMIT - done;

		if (!rng->fill(rng->context, segment->bytes, size)) {
			virtio_break(&rng->device, "the source of randomness has failed");
			return 0;
		}
		done += size;
	}
	return done;
}

static void rng_notified(struct virtio_device *device, struct virtqueue *queue) {
	struct rng *rng = rng_of(device);

	while (virtqueue_take(queue, &rng->chain)) {
		uint32_t written = fill_chain(rng, &rng->chain);

		if (!virtio_works(device)) return;
		virtqueue_put(queue, rng->chain.token, written);
	}
	virtqueue_signal(queue);
}

static const struct virtio_ops rng_ops = {
	.name = "rng",
	.id = VIRTIO_ID_ENTROPY,
	.notified = rng_notified,
};

void rng_init(struct rng *rng) {
	rng->queue.maximum = PLACES;
	rng->device.ops = &rng_ops;
	rng->device.queues = &rng->queue;
	rng->device.queue_count = 1;
}
