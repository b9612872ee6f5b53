// SPDX-License-Identifier: BSD-2-Clause
// Requests are sent and ended in one order, whatever order the driver answers in. An answer that
// belongs to none of them is dropped: a restarted driver may give one twice.
#include <services/partition/disk.h>

bool disk_open(struct disk *disk, struct block_queue *queue, uint64_t first_tag) {
	*disk = (struct disk){.first_tag = first_tag};
	return block_open(&disk->end, queue);
}

static struct disk_request *place(struct disk *disk, uint64_t index) {
	return &disk->requests[index % BLOCK_CAPACITY];
}

bool disk_has_room(struct disk *disk) {
	return disk->sent - disk->ended < BLOCK_CAPACITY && ring_room(&disk->end.requests) > 0;
}

void disk_send(struct disk *disk, struct block_request *request, const struct disk_request *kept) {
	struct disk_request *added = place(disk, disk->sent);

	request->tag = disk->first_tag + disk->sent++;
	*added = *kept;
	added->is_done = false;
	// There is room, and only this side fills it.
	(void)ring_put(&disk->end.requests, request);
}

static void answered(struct disk *disk, const struct block_completion *completion) {
	uint64_t index = completion->tag - disk->first_tag;
	struct disk_request *request = place(disk, index);

	if (index - disk->ended >= disk->sent - disk->ended || request->is_done) return;
	request->is_done = true;
	request->status = completion->status <= BLOCK_NO_DEVICE
		? (enum block_status)completion->status
		: BLOCK_DEVICE_ERROR;
}

bool disk_receive(struct disk *disk) {
	struct block_completion completion;

	// As many as the ring has; the driver could add more for ever.
	for (unsigned i = 0; i < BLOCK_CAPACITY; i++) {
		if (!ring_get(&disk->end.completions, &completion)) break;
		answered(disk, &completion);
	}
	return !ring_may_sleep(&disk->end.completions);
}

bool disk_next(struct disk *disk, struct disk_request *ended) {
	if (disk->ended == disk->sent || !place(disk, disk->ended)->is_done) return false;
	*ended = *place(disk, disk->ended++);
	return true;
}

bool disk_must_notify(struct disk *disk) {
	bool of_requests = ring_must_notify(&disk->end.requests);

	return ring_must_notify_producer(&disk->end.completions) || of_requests;
}
