// SPDX-License-Identifier: BSD-2-Clause
// Split rings (virtio 1.2, 2.7).
#include <vmm/virtio/ring.h>

static struct virtq_split_area *driver_area(const struct virtqueue *queue) {
	return (struct virtq_split_area *)queue->areas[VIRTQUEUE_DRIVER];
}

static struct virtq_split_area *device_area(const struct virtqueue *queue) {
	return (struct virtq_split_area *)queue->areas[VIRTQUEUE_DEVICE];
}

static uint16_t *available_entries(const struct virtqueue *queue) {
	return (uint16_t *)(driver_area(queue) + 1);
}

static struct virtq_used_entry *used_entries(const struct virtqueue *queue) {
	return (struct virtq_used_entry *)(device_area(queue) + 1);
}

static uint16_t waiting(const struct virtqueue *queue) {
	// Acquire: what the driver wrote before the index is there.
	uint16_t index = __atomic_load_n(&driver_area(queue)->index, __ATOMIC_ACQUIRE);

	return (uint16_t)(index - queue->available.index);
}

static void ask_for_silence(struct virtqueue *queue) {
	// An index of an event that has passed is silence enough.
	if (queue->event_index || queue->quiet) return;
	__atomic_store_n(&device_area(queue)->flags, VIRTQ_NO_EVENT, __ATOMIC_RELAXED);
	queue->quiet = true;
}

static void ask_for_event(struct virtqueue *queue) {
	uint16_t *event = (uint16_t *)(used_entries(queue) + queue->size);

	if (queue->event_index)
		__atomic_store_n(event, (uint16_t)(queue->available.index + ring_ahead(queue)),
			__ATOMIC_RELAXED);
	else
		__atomic_store_n(&device_area(queue)->flags, queue->polled ? VIRTQ_NO_EVENT : 0,
			__ATOMIC_RELAXED);
	queue->quiet = queue->polled;
	// The request is written before the last look (2.7.10): one side sees the other's write.
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static bool follow(struct virtqueue *queue, struct virtio_chain *chain, uint16_t place) {
	const uint8_t *table = queue->areas[VIRTQUEUE_DESCRIPTORS];

	for (unsigned i = 0; i < queue->size; i++) {
		struct ring_descriptor descriptor;

		if (place >= queue->size) return ring_broken(queue, "no such descriptor");
		descriptor = ring_read(
			table + place * sizeof(struct virtq_split_descriptor), false);
		if (!ring_add(queue, chain, &descriptor)) return false;
		if (!(descriptor.flags & VIRTQ_NEXT)) return true;
		place = descriptor.next;
	}
	return ring_broken(queue, "a chain is longer than its ring");
}

bool split_take(struct virtqueue *queue, struct virtio_chain *chain) {
	uint16_t count = waiting(queue);
	uint16_t head;

	if (count == 0) {
		ask_for_event(queue);
		count = waiting(queue);
		if (count == 0) return false;
	}
	if (count > queue->size) return ring_broken(queue, "the available index jumped");
	ask_for_silence(queue);
	head = READ_ONCE(available_entries(queue)[queue->available.index & (queue->size - 1)]);
	queue->available.index++;
	chain->token = (struct virtqueue_token){head, 1};
	return follow(queue, chain, head);
}

void split_put(struct virtqueue *queue, struct virtqueue_token token, uint32_t written) {
	struct virtq_used_entry *entry = &used_entries(
		queue)[queue->used.index & (queue->size - 1)];

	__atomic_store_n(&entry->id, token.id, __ATOMIC_RELAXED);
	__atomic_store_n(&entry->length, written, __ATOMIC_RELAXED);
	queue->used.index++;
}

void split_publish(struct virtqueue *queue) {
	// Release: a driver that sees the index sees the entries and the buffers (2.7.8.2).
	__atomic_store_n(&device_area(queue)->index, queue->used.index, __ATOMIC_RELEASE);
}

bool split_event_wanted(const struct virtqueue *queue) {
	uint16_t now = queue->used.index;

	if (!queue->event_index) return !(READ_ONCE(driver_area(queue)->flags) & VIRTQ_NO_EVENT);
	return ring_event_due(READ_ONCE(available_entries(queue)[queue->size]), now,
		(uint16_t)(now - queue->unsignalled));
}
