// SPDX-License-Identifier: BSD-2-Clause
// Virtqueues: set-up, chains, indirect descriptors.
#include <vmm/virtio/queue.h>

#include <vmm/virtio/ring.h>

#include <base/bits.h>

struct area {
	uint8_t alignment;
	uint8_t bytes, bytes_a_place;
};

// 2.7 and 2.8.10. The words of event indexes are there whether they are used or not.
static const struct area areas[2][VIRTQUEUE_AREAS] = {
	{{16, 0, 16}, {2, 6, 2}, {4, 6, 8}},
	{{16, 0, 16}, {4, 4, 0}, {4, 4, 0}},
};

void virtqueue_reset(struct virtqueue *queue) {
	*queue = (struct virtqueue){
		.device = queue->device,
		.maximum = queue->maximum,
		.size = queue->maximum,
	};
}

void virtqueue_set_size(struct virtqueue *queue, uint16_t size) {
	if (!queue->enabled && size > 0 && size <= queue->maximum) queue->size = size;
}

void virtqueue_set_address(struct virtqueue *queue, enum virtqueue_area area, uint64_t address) {
	if (!queue->enabled) queue->addresses[area] = address;
}

static bool find_area(struct virtqueue *queue, enum virtqueue_area number) {
	const struct area *area = &areas[queue->packed][number];
	uint64_t address = queue->addresses[number];
	uint64_t bytes = area->bytes + (uint64_t)area->bytes_a_place * queue->size;

	if (!is_aligned(address, area->alignment)) return false;
	queue->areas[number] = memory_at(queue->device->memory, guest_physical(address), bytes);
	return queue->areas[number];
}

void virtqueue_enable(struct virtqueue *queue) {
	struct virtio_device *device = queue->device;

	if (queue->enabled || !(device->status & VIRTIO_FEATURES_OK)) return;
	queue->packed = virtio_has(device, VIRTIO_F_RING_PACKED);
	queue->event_index = virtio_has(device, VIRTIO_F_EVENT_IDX);
	if (!queue->packed && (queue->size & (queue->size - 1)) != 0) {
		virtio_break(device, "the size of a split ring is no power of two");
		return;
	}
	for (unsigned i = 0; i < VIRTQUEUE_AREAS; i++) {
		if (find_area(queue, (enum virtqueue_area)i)) continue;
		virtio_break(device, "a ring is not aligned, or not in RAM");
		return;
	}
	queue->available.wrap = queue->packed;
	queue->used.wrap = queue->packed;
	queue->enabled = true;
}

bool ring_broken(struct virtqueue *queue, const char *why) {
	virtio_break(queue->device, why);
	return false;
}

static bool add_bytes(struct virtqueue *queue, struct virtio_chain *chain,
	const struct ring_descriptor *descriptor) {
	unsigned count = chain->readable + chain->writable;
	uint8_t *bytes = memory_at(
		queue->device->memory, guest_physical(descriptor->address), descriptor->length);

	if (!bytes) return ring_broken(queue, "a buffer is not in RAM");
	if (descriptor->length == 0) return true;
	if (count == VIRTQUEUE_SEGMENTS) return ring_broken(queue, "a chain is too long");
	chain->segments[count] = (struct virtio_segment){bytes, descriptor->length};
	if (descriptor->flags & VIRTQ_WRITE) {
		chain->writable++;
		chain->writable_bytes += descriptor->length;
		return true;
	}
	if (chain->writable > 0)
		return ring_broken(queue, "a readable buffer after a writable one");
	chain->readable++;
	chain->readable_bytes += descriptor->length;
	return true;
}

// The table of an indirect descriptor. In split rings its descriptors are linked (2.7.5.3), in
// packed ones they follow each other and flags other than WRITE have no meaning (2.8.7).
static bool add_table(struct virtqueue *queue, struct virtio_chain *chain,
	const struct ring_descriptor *indirect) {
	const unsigned size = sizeof(struct virtq_split_descriptor);
	unsigned count = indirect->length / size;
	const uint8_t *table = memory_at(
		queue->device->memory, guest_physical(indirect->address), indirect->length);
	unsigned place = 0;

	if (!table || count == 0 || !is_aligned(indirect->length, size))
		return ring_broken(queue, "an indirect table of a wrong size, or not in RAM");
	for (unsigned i = 0; i < count && i <= VIRTQUEUE_SEGMENTS; i++) {
		struct ring_descriptor descriptor = ring_read(
			table + (uint64_t)place * size, queue->packed);

		if (!queue->packed && (descriptor.flags & VIRTQ_INDIRECT))
			return ring_broken(queue, "an indirect table in another");
		if (!add_bytes(queue, chain, &descriptor)) return false;
		place = queue->packed ? place + 1 : descriptor.next;
		if (queue->packed ? place == count : !(descriptor.flags & VIRTQ_NEXT)) return true;
		if (place >= count) return ring_broken(queue, "no such descriptor in a table");
	}
	return ring_broken(queue, "a chain is too long");
}

bool ring_add(struct virtqueue *queue, struct virtio_chain *chain,
	const struct ring_descriptor *descriptor) {
	if (!(descriptor->flags & VIRTQ_INDIRECT)) return add_bytes(queue, chain, descriptor);
	if (descriptor->flags & VIRTQ_NEXT)
		return ring_broken(queue, "a chain goes on after an indirect table");
	if (!virtio_has(queue->device, VIRTIO_F_INDIRECT_DESC))
		return ring_broken(queue, "an indirect table, which was not negotiated");
	return add_table(queue, chain, descriptor);
}

bool virtqueue_take(struct virtqueue *queue, struct virtio_chain *chain) {
	if (!queue->enabled || !virtio_works(queue->device)) return false;
	chain->readable = 0;
	chain->writable = 0;
	chain->readable_bytes = 0;
	chain->writable_bytes = 0;
	return queue->packed ? packed_take(queue, chain) : split_take(queue, chain);
}

void virtqueue_untake(struct virtqueue *queue, struct virtqueue_token token) {
	if (queue->packed)
		packed_untake(queue, token.places);
	else
		queue->available.index--;
}

void virtqueue_put(struct virtqueue *queue, struct virtqueue_token token, uint32_t written) {
	if (!queue->enabled || !virtio_works(queue->device)) return;
	if (queue->packed)
		packed_put(queue, token, written);
	else
		split_put(queue, token, written);
	queue->unsignalled += token.places;
}

void virtqueue_signal(struct virtqueue *queue) {
	struct virtio_device *device = queue->device;
	bool wanted;

	if (queue->unsignalled == 0 || !virtio_works(device)) return;
	queue->packed ? packed_publish(queue) : split_publish(queue);
	// That is written before the driver's wish is read: one side sees the other's write.
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	wanted = queue->packed ? packed_event_wanted(queue) : split_event_wanted(queue);
	queue->unsignalled = 0;
	if (wanted)
		device->transport.queue_interrupt(
			device->transport.context, (unsigned)(queue - device->queues));
}

// Copies between `bytes` and a part of the segments; the direction is the caller's.
static uint32_t copy(const struct virtio_segment *segments, unsigned count, uint64_t offset,
	void *bytes, const void *source, uint32_t length) {
	uint32_t done = 0;

	for (unsigned i = 0; i < count && done < length; i++) {
		uint32_t size = segments[i].length;

		if (offset >= size) {
			offset -= size;
			continue;
		}
		size -= (uint32_t)offset;
		if (size > length - done) size = length - done;
		if (source)
			memcpy(segments[i].bytes + offset, (const uint8_t *)source + done, size);
		else
			memcpy((uint8_t *)bytes + done, segments[i].bytes + offset, size);
		done += size;
		offset = 0;
	}
	return done;
}

uint32_t virtio_segments_read(const struct virtio_segment *segments, unsigned count,
	uint64_t offset, void *bytes, uint32_t length) {
	return copy(segments, count, offset, bytes, NULL, length);
}

uint32_t virtio_segments_write(const struct virtio_segment *segments, unsigned count,
	uint64_t offset, const void *bytes, uint32_t length) {
	return copy(segments, count, offset, NULL, bytes, length);
}
