// SPDX-License-Identifier: BSD-2-Clause
// Virtqueues: split rings (virtio 1.2, 2.7) and packed rings (2.8), with indirect descriptors and
// suppression of events. Rings and descriptors are the guest's memory, which it can change at any
// time: each descriptor is copied once, then checked. A broken ring breaks the device.
//
//   while (virtqueue_take(queue, &chain)) {
//           ... chain.segments: pointers into guest memory ...
//           virtqueue_put(queue, chain.token, written);
//   }
//   virtqueue_signal(queue);
#pragma once

#include <vmm/virtio/device.h>

enum virtqueue_area {
	VIRTQUEUE_DESCRIPTORS,
	VIRTQUEUE_DRIVER, // available ring, or driver event suppression
	VIRTQUEUE_DEVICE, // used ring, or device event suppression
	VIRTQUEUE_AREAS,
};

// A place in a ring that wraps around: for split rings the index counts on, for packed ones it is
// a place and has a wrap counter.
struct virtqueue_place {
	uint16_t index;
	bool wrap;
};

// The descriptor of a packed ring with which a batch becomes visible.
struct virtqueue_first {
	uint16_t index, flags;
};

struct virtqueue {
	struct virtio_device *device;
	uint16_t maximum; // places that the driver may ask for; set by the model
	uint16_t size; // places
	bool enabled;
	bool packed, event_index; // from the features, when it was enabled
	bool quiet; // the driver was asked for no notifications
	bool polled; // by the model, which sets that
	uint64_t addresses[VIRTQUEUE_AREAS]; // guest-physical
	uint8_t *areas[VIRTQUEUE_AREAS]; // checked; valid while enabled
	struct virtqueue_place available; // next to take
	struct virtqueue_place used; // next to put
	uint16_t unsignalled; // places put since virtqueue_signal
	struct virtqueue_first first; // of those
};

// For the transport.

// Ignored while the queue is enabled, and for sizes that the queue cannot have.
void virtqueue_set_size(struct virtqueue *queue, uint16_t size);
// Ignored while the queue is enabled.
void virtqueue_set_address(struct virtqueue *queue, enum virtqueue_area area, uint64_t address);
// Areas that are not aligned, or not in RAM, break the device. Only after FEATURES_OK.
void virtqueue_enable(struct virtqueue *queue);

// For models.

enum {
	VIRTQUEUE_SEGMENTS = 128, // of a chain, as many as the largest requests of the models have
};

// Bytes of guest memory.
struct virtio_segment {
	uint8_t *bytes;
	uint32_t length; // not 0
};

// What virtqueue_put has to know of a chain.
struct virtqueue_token {
	uint16_t id; // of the buffer, or the chain's first descriptor
	uint16_t places; // of the ring
};

// A buffer that the driver made available: first what the device reads, then what it writes.
struct virtio_chain {
	struct virtqueue_token token;
	uint16_t readable, writable; // segments; the writable ones follow the readable ones
	uint64_t readable_bytes, writable_bytes;
	struct virtio_segment segments[VIRTQUEUE_SEGMENTS];
};

// For virtio_chain_read and virtio_chain_write.
[[nodiscard]] uint32_t virtio_segments_read(const struct virtio_segment *segments, unsigned count,
	uint64_t offset, void *bytes, uint32_t length);
[[nodiscard]] uint32_t virtio_segments_write(const struct virtio_segment *segments, unsigned count,
	uint64_t offset, const void *bytes, uint32_t length);

// Takes the oldest chain. False when there is none, and the driver will notify; or the queue is not
// enabled; or the device is broken, now or before. Of a queue that is polled the driver will not
// notify, or, by event index, only when a quarter of its places is filled: the model looks again.
[[nodiscard]] bool virtqueue_take(struct virtqueue *queue, struct virtio_chain *chain);
// Puts back what was taken last; several chains in the reverse order. None may have been put since.
void virtqueue_untake(struct virtqueue *queue, struct virtqueue_token token);
// Gives a chain to the driver, with the number of bytes written into it. In any order; visible with
// virtqueue_signal.
void virtqueue_put(struct virtqueue *queue, struct virtqueue_token token, uint32_t written);
// After a batch: the driver sees all of it at once, and gets one interrupt if it waits for that.
void virtqueue_signal(struct virtqueue *queue);

// Copies `length` bytes of the readable part, from `offset`; less when it ends. Returns the count.
// Mostly they are in the first segment.
[[nodiscard]] static inline uint32_t virtio_chain_read(
	const struct virtio_chain *chain, uint64_t offset, void *bytes, uint32_t length) {
	const struct virtio_segment *first = chain->segments;

	if (chain->readable == 0 || offset + length > first->length)
		return virtio_segments_read(first, chain->readable, offset, bytes, length);
	__builtin_memcpy(bytes, first->bytes + offset, length);
	return length;
}

// The same for writing the writable part.
[[nodiscard]] static inline uint32_t virtio_chain_write(
	const struct virtio_chain *chain, uint64_t offset, const void *bytes, uint32_t length) {
	const struct virtio_segment *first = &chain->segments[chain->readable];

	if (chain->writable == 0 || offset + length > first->length)
		return virtio_segments_write(first, chain->writable, offset, bytes, length);
	__builtin_memcpy(first->bytes + offset, bytes, length);
	return length;
}

// For virtio_reset.
void virtqueue_reset(struct virtqueue *queue);
