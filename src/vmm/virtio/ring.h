// SPDX-License-Identifier: BSD-2-Clause
// What queue.c and the two formats of rings share.
#pragma once

#include <vmm/virtio/queue.h>

#include <base/memory.h>

// A descriptor as both formats have it.
struct ring_descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t id; // of a packed ring
	uint16_t next; // of a split ring
	uint16_t flags; // enum virtq_descriptor_flag
};

// Adds a descriptor's bytes to the chain, or those of its table. False when the device is broken.
[[nodiscard]] bool ring_add(struct virtqueue *queue, struct virtio_chain *chain,
	const struct ring_descriptor *descriptor);
// Breaks the device; false.
[[nodiscard]] bool ring_broken(struct virtqueue *queue, const char *why);

[[nodiscard]] bool split_take(struct virtqueue *queue, struct virtio_chain *chain);
void split_put(struct virtqueue *queue, struct virtqueue_token token, uint32_t written);
void split_publish(struct virtqueue *queue);
[[nodiscard]] bool split_event_wanted(const struct virtqueue *queue);

[[nodiscard]] bool packed_take(struct virtqueue *queue, struct virtio_chain *chain);
void packed_untake(struct virtqueue *queue, uint16_t places);
void packed_put(struct virtqueue *queue, struct virtqueue_token token, uint32_t written);
void packed_publish(struct virtqueue *queue);
[[nodiscard]] bool packed_event_wanted(const struct virtqueue *queue);

// How many more places the driver may add before it notifies by event index.
static inline uint16_t ring_ahead(const struct virtqueue *queue) {
	return queue->polled ? queue->size / 4 : 0;
}

// Whether an event between two counters is the one that was asked for (2.7.7.2).
static inline bool ring_event_due(uint16_t asked, uint16_t now, uint16_t before) {
	return (uint16_t)(now - asked - 1) < (uint16_t)(now - before);
}

// A descriptor at any address, of which each word is read once.
static inline struct ring_descriptor ring_read(const void *place, bool packed) {
	typedef uint64_t __attribute__((aligned(1), may_alias)) word;
	const volatile word *words = (const word *)place;
	uint64_t address = words[0];
	uint64_t rest = words[1];
	uint16_t middle = (uint16_t)(rest >> 32);
	uint16_t last = (uint16_t)(rest >> 48);

	if (packed)
		return (struct ring_descriptor){
			.address = address, .length = (uint32_t)rest, .id = middle, .flags = last};
	return (struct ring_descriptor){
		.address = address, .length = (uint32_t)rest, .flags = middle, .next = last};
}
