// SPDX-License-Identifier: BSD-2-Clause
// A split queue as its driver sees it.
#include <lib/virtio/queue.h>

#include <base/memory.h>

#include <lib/virtio/registers.h>

void virtio_queue_lay(struct virtio_queue *queue, uint16_t number, uint16_t size, uint8_t *memory) {
	memset(memory, 0, virtio_queue_bytes(size));
	*queue = (struct virtio_queue){
		.size = size,
		.descriptors = (struct virtq_split_descriptor *)memory,
		.available = (struct virtq_split_area *)(memory + virtio_queue_available(size)),
		.used = (struct virtq_split_area *)(memory + virtio_queue_used(size)),
		.number = number,
	};
}

// The chain is in memory before its index, and that before the device is notified (2.7.13).
void virtio_queue_give(struct virtio_queue *queue, uint16_t first) {
	uint16_t *heads = (uint16_t *)(queue->available + 1);

	heads[queue->sent % queue->size] = first;
	queue->sent++;
	__atomic_store_n(&queue->available->index, queue->sent, __ATOMIC_RELEASE);
}

void virtio_queue_notify(const struct virtio_queue *queue) {
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&queue->used->flags, __ATOMIC_RELAXED) & VIRTQ_NO_EVENT) return;
	virtio_write(queue->notify, sizeof(uint16_t), queue->number);
}

enum virtio_answer virtio_queue_take(struct virtio_queue *queue, struct virtq_used_entry *entry) {
	const struct virtq_used_entry *entries = (const struct virtq_used_entry *)(queue->used + 1);
	uint16_t index = __atomic_load_n(&queue->used->index, __ATOMIC_ACQUIRE);

	if (index == queue->taken) return VIRTIO_NOTHING;
	if ((uint16_t)(index - queue->taken) > (uint16_t)(queue->sent - queue->taken))
		return VIRTIO_IMPOSSIBLE;
	*entry = entries[queue->taken % queue->size];
	queue->taken++;
	return VIRTIO_TAKEN;
}
