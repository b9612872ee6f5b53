// SPDX-License-Identifier: BSD-2-Clause
// Packed rings (virtio 1.2, 2.8).
#include <vmm/virtio/ring.h>

enum { PLACE_BITS = 15, PLACE_MASK = (1 << PLACE_BITS) - 1 };

static struct virtq_packed_descriptor *descriptor_at(
	const struct virtqueue *queue, uint16_t place) {
	return (struct virtq_packed_descriptor *)queue->areas[VIRTQUEUE_DESCRIPTORS] + place;
}

static void advance(const struct virtqueue *queue, struct virtqueue_place *place, uint16_t count) {
	uint32_t index = (uint32_t)place->index + count;

	if (index >= queue->size) {
		index -= queue->size;
		place->wrap = !place->wrap;
	}
	place->index = (uint16_t)index;
}

static bool is_available(const struct virtqueue *queue) {
	// Acquire: what the driver wrote before the flags is there (2.8.21.3.1).
	uint16_t flags = __atomic_load_n(
		&descriptor_at(queue, queue->available.index)->flags, __ATOMIC_ACQUIRE);

	return (flags & VIRTQ_AVAIL) == (queue->available.wrap ? VIRTQ_AVAIL : 0) &&
		(flags & VIRTQ_USED) == (queue->available.wrap ? 0 : VIRTQ_USED);
}

static void write_event(struct virtqueue *queue, enum virtq_packed_event_flag flags) {
	struct virtq_packed_event *event =
		(struct virtq_packed_event *)queue->areas[VIRTQUEUE_DEVICE];
	struct virtqueue_place asked = queue->available;

	advance(queue, &asked, ring_ahead(queue));
	__atomic_store_n(&event->place, (uint16_t)(asked.wrap << PLACE_BITS | asked.index),
		__ATOMIC_RELAXED);
	// Release: the place is there when the flags say that it counts.
	__atomic_store_n(&event->flags, (uint16_t)flags, __ATOMIC_RELEASE);
}

static void ask_for_silence(struct virtqueue *queue) {
	// A place that has passed is silence enough.
	if (queue->event_index || queue->quiet) return;
	write_event(queue, VIRTQ_EVENT_DISABLE);
	queue->quiet = true;
}

static void ask_for_event(struct virtqueue *queue) {
	enum virtq_packed_event_flag otherwise = queue->polled ? VIRTQ_EVENT_DISABLE
							       : VIRTQ_EVENT_ENABLE;

	write_event(queue, queue->event_index ? VIRTQ_EVENT_AT_PLACE : otherwise);
	queue->quiet = queue->polled;
	// The request is written before the last look: one side sees the other's write.
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static bool follow(struct virtqueue *queue, struct virtio_chain *chain) {
	for (uint16_t count = 1; count <= queue->size; count++) {
		const struct virtq_packed_descriptor *place = descriptor_at(
			queue, queue->available.index);
		struct ring_descriptor descriptor = ring_read(place, true);

		if (!ring_add(queue, chain, &descriptor)) return false;
		advance(queue, &queue->available, 1);
		// The last descriptor of a chain has the buffer's id (2.8.6).
		chain->token = (struct virtqueue_token){descriptor.id, count};
		if (!(descriptor.flags & VIRTQ_NEXT)) return true;
	}
	return ring_broken(queue, "a chain is longer than its ring");
}

bool packed_take(struct virtqueue *queue, struct virtio_chain *chain) {
	if (!is_available(queue)) {
		ask_for_event(queue);
		if (!is_available(queue)) return false;
	}
	ask_for_silence(queue);
	return follow(queue, chain);
}

void packed_untake(struct virtqueue *queue, uint16_t places) {
	struct virtqueue_place *place = &queue->available;

	if (place->index < places) {
		place->index += queue->size;
		place->wrap = !place->wrap;
	}
	place->index -= places;
}

// The driver looks at the first descriptor of a batch before the others: its flags come last.
void packed_put(struct virtqueue *queue, struct virtqueue_token token, uint32_t written) {
	struct virtq_packed_descriptor *descriptor = descriptor_at(queue, queue->used.index);
	uint16_t flags = queue->used.wrap ? VIRTQ_AVAIL | VIRTQ_USED : 0;

	if (written > 0) flags |= VIRTQ_WRITE;
	__atomic_store_n(&descriptor->length, written, __ATOMIC_RELAXED);
	__atomic_store_n(&descriptor->id, token.id, __ATOMIC_RELAXED);
	if (queue->unsignalled == 0)
		queue->first = (struct virtqueue_first){queue->used.index, flags};
	else
		__atomic_store_n(&descriptor->flags, flags, __ATOMIC_RELAXED);
	advance(queue, &queue->used, token.places);
}

void packed_publish(struct virtqueue *queue) {
	// Release: a driver that sees the flags sees the rest and the buffers.
	__atomic_store_n(&descriptor_at(queue, queue->first.index)->flags, queue->first.flags,
		__ATOMIC_RELEASE);
}

bool packed_event_wanted(const struct virtqueue *queue) {
	const struct virtq_packed_event *event =
		(const struct virtq_packed_event *)queue->areas[VIRTQUEUE_DRIVER];
	uint16_t flags = __atomic_load_n(&event->flags, __ATOMIC_ACQUIRE) & VIRTQ_EVENT_FLAGS;
	uint16_t place = READ_ONCE(event->place);
	uint16_t asked = place & PLACE_MASK;
	uint16_t now = queue->used.index;

	if (flags != VIRTQ_EVENT_AT_PLACE || !queue->event_index)
		return flags != VIRTQ_EVENT_DISABLE;
	// A place of the lap before.
	if (place >> PLACE_BITS != queue->used.wrap) asked -= queue->size;
	return ring_event_due(asked, now, (uint16_t)(now - queue->unsignalled));
}
