// SPDX-License-Identifier: BSD-2-Clause
// A split queue as its driver sees it (virtio 1.2, 2.7): chains of descriptors that the device has,
// and the entries by which it returns them. The device writes those, so nothing is read beside
// them. Pure but for the register that announces work.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <virtio/virtio.h>

struct virtio_queue {
	uint16_t size; // descriptors; a power of two
	uint16_t sent; // chains given to the device since the start
	uint16_t taken; // and back from it
	struct virtq_split_descriptor *descriptors;
	struct virtq_split_area *available; // behind it the chains' first descriptors
	struct virtq_split_area *used; // behind it entries
	uint64_t notify; // the register
	uint16_t number;
};

enum virtio_answer {
	VIRTIO_NOTHING,
	VIRTIO_TAKEN,
	VIRTIO_IMPOSSIBLE, // more is returned than the device was given
};

// Where the parts lie behind each other: alignments of 2.7.
static inline size_t virtio_queue_available(uint16_t size) {
	return size * sizeof(struct virtq_split_descriptor);
}

static inline size_t virtio_queue_used(uint16_t size) {
	size_t end = virtio_queue_available(size) + sizeof(struct virtq_split_area) +
		size * sizeof(uint16_t);

	return (end + 3) / 4 * 4;
}

// Of memory, for a queue of that size.
static inline size_t virtio_queue_bytes(uint16_t size) {
	return virtio_queue_used(size) + sizeof(struct virtq_split_area) +
		size * sizeof(struct virtq_used_entry);
}

// Lays the queue out in memory at a multiple of 16, which becomes zero; the device must not have
// it.
void virtio_queue_lay(struct virtio_queue *queue, uint16_t number, uint16_t size, uint8_t *memory);

// Gives the device the chain that begins with a descriptor; the caller knows that it has fewer
// chains than the queue has descriptors. It looks at them when it is notified.
void virtio_queue_give(struct virtio_queue *queue, uint16_t first);
void virtio_queue_notify(const struct virtio_queue *queue);

// The next entry that the device returned; what it says is the device's, not yet checked.
[[nodiscard]] enum virtio_answer virtio_queue_take(
	struct virtio_queue *queue, struct virtq_used_entry *entry);
