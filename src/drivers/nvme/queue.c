// SPDX-License-Identifier: BSD-2-Clause
// Doorbells: 3.1.24, 3.1.25. The phase of a completion changes with each turn of its queue (4.6).
#include <drivers/nvme/queue.h>

void nvme_queue_begin(struct nvme_queue *queue, uint32_t stride) {
	queue->tail_doorbell = NVME_DOORBELLS + 2ul * queue->number * stride;
	queue->head_doorbell = queue->tail_doorbell + stride;
	queue->tail = 0;
	queue->head = 0;
	queue->phase = NVME_PHASE;
}

void nvme_queue_send(struct nvme_queue *queue, const struct nvme_command *command) {
	struct nvme_command *entry = &queue->commands[queue->tail];

	*entry = *command;
	entry->id = ++queue->id;
	queue->tail = (uint16_t)((queue->tail + 1) % NVME_ENTRIES);
	// The command is in memory before the controller is notified.
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	nvme_write(queue->tail_doorbell, queue->tail);
}

enum nvme_answer nvme_queue_take(struct nvme_queue *queue) {
	struct nvme_completion *entry = &queue->completions[queue->head];
	uint16_t status = __atomic_load_n(&entry->status, __ATOMIC_ACQUIRE);
	bool is_known;

	if ((status & NVME_PHASE) != queue->phase) return NVME_NONE;
	is_known = __atomic_load_n(&entry->id, __ATOMIC_RELAXED) == queue->id &&
		__atomic_load_n(&entry->queue, __ATOMIC_RELAXED) == queue->number;
	queue->head = (uint16_t)((queue->head + 1) % NVME_ENTRIES);
	if (queue->head == 0) queue->phase ^= NVME_PHASE;
	nvme_write(queue->head_doorbell, queue->head);
	if (!is_known) return NVME_STRANGE;
	return status & ~NVME_PHASE ? NVME_ERROR : NVME_OK;
}
