// SPDX-License-Identifier: BSD-2-Clause
// Requests to a virtio block device, and what it answers. Nothing that it writes is believed before
// it was checked.
#include <drivers/virtio_blk/device.h>

#include <stddef.h>

#include <base/memory.h>

#include <lib/virtio/registers.h>
#include <virtio/block.h>

enum {
	QUEUE = 0, // 5.2.2
	DESCRIPTORS = 4, // header, data, status, rounded up
	HEAD = 0, // of the only chain
	STATUS_NONE = 0xff, // written before the device writes one
};

// The shared page: the queue, and behind it what a request has beside its data.
struct request {
	struct virtio_blk_header header;
	uint8_t status;
};

enum {
	REQUEST = 0x800, // offset
};

static struct request *request_of(const struct virtio_blk *device) {
	return (struct request *)(device->memory + REQUEST);
}

static bool queue_start(struct virtio_blk *device) {
	memset(device->memory, 0, VIRTIO_BLK_MEMORY);
	virtio_queue_lay(&device->queue, QUEUE, DESCRIPTORS, device->memory);
	return virtio_queue_start(&device->places, &device->queue, device->paddr);
}

// The device may limit segments to less than a request has; then it is of no use here.
static bool takes_requests(const struct virtio_blk *device, uint64_t features) {
	uint32_t size;

	if (!(features & VIRTIO_BLK_F_SIZE_MAX)) return true;
	return virtio_config_read(&device->places, offsetof(struct virtio_blk_config, size_max),
		       sizeof(size), &size, sizeof(size)) &&
		size >= BLOCK_MAXIMUM * BLOCK_SECTOR;
}

uint64_t virtio_blk_reset(struct virtio_blk *device) {
	uint64_t features;
	uint64_t sectors;

	device->active = false;
	if (!virtio_begin(&device->places, VIRTIO_F_VERSION_1,
		    VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_SIZE_MAX, &features))
		return 0;
	device->has_flush = features & VIRTIO_BLK_F_FLUSH;
	if (!virtio_config_read(&device->places, offsetof(struct virtio_blk_config, capacity),
		    sizeof(uint32_t), &sectors, sizeof(sectors)) ||
		!takes_requests(device, features) || !queue_start(device))
		return 0;
	virtio_run(&device->places);
	return sectors;
}

static const uint32_t types[] = {
	[BLOCK_READ] = VIRTIO_BLK_IN,
	[BLOCK_WRITE] = VIRTIO_BLK_OUT,
	[BLOCK_FLUSH] = VIRTIO_BLK_FLUSH,
};

// Header, data if there are any, status (5.2.6).
static void fill(const struct virtio_blk *device, const struct block_job *job) {
	struct request *request = request_of(device);
	uint64_t paddr = device->paddr + REQUEST;
	struct virtq_split_descriptor *next = device->queue.descriptors;
	uint16_t data_flags = job->kind == BLOCK_READ ? VIRTQ_WRITE : 0;

	*request = (struct request){
		{.type = types[job->kind], .sector = job->sector}, .status = STATUS_NONE};
	*next++ = (struct virtq_split_descriptor){
		paddr + offsetof(struct request, header), sizeof(request->header), VIRTQ_NEXT, 1};
	if (job->count > 0)
		*next++ = (struct virtq_split_descriptor){
			job->data_paddr, job->count * BLOCK_SECTOR, VIRTQ_NEXT | data_flags, 2};
	*next = (struct virtq_split_descriptor){
		paddr + offsetof(struct request, status), 1, VIRTQ_WRITE, 0};
}

enum block_progress virtio_blk_start(struct virtio_blk *device, const struct block_job *job) {
	if (!device_reaches(job)) return BLOCK_FAILED;
	// Without the feature completed writes are on the medium (5.2.6.2).
	if (job->kind == BLOCK_FLUSH && !device->has_flush) return BLOCK_DONE;
	fill(device, job);
	device->active = true;
	virtio_queue_give(&device->queue, HEAD);
	virtio_queue_notify(&device->queue);
	return BLOCK_UNDER_WAY;
}

static enum block_progress result_of(const struct virtio_blk *device) {
	switch (__atomic_load_n(&request_of(device)->status, __ATOMIC_RELAXED)) {
	case VIRTIO_BLK_OK: return BLOCK_DONE;
	case VIRTIO_BLK_IOERR:
	case VIRTIO_BLK_UNSUPP: return BLOCK_FAILED;
	default: return BLOCK_STUCK;
	}
}

enum block_progress virtio_blk_interrupt(struct virtio_blk *device) {
	enum virtio_answer answer;
	struct virtq_used_entry entry;

	(void)virtio_interrupt(&device->places);
	if (!device->active) return BLOCK_IDLE;
	answer = virtio_queue_take(&device->queue, &entry);
	if (answer == VIRTIO_NOTHING && !virtio_is_broken(&device->places)) return BLOCK_UNDER_WAY;
	device->active = false;
	return answer == VIRTIO_TAKEN && entry.id == HEAD ? result_of(device) : BLOCK_STUCK;
}
