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
	HEAD = 0,
	STATUS_NONE = 0xff, // written before the device writes one
};

// The shared page. Alignments: 2.7.
struct shared {
	struct virtq_split_descriptor descriptors[DESCRIPTORS];
	struct {
		struct virtq_split_area area;
		uint16_t heads[DESCRIPTORS];
	} available;
	_Alignas(4) struct {
		struct virtq_split_area area;
		struct virtq_used_entry entries[DESCRIPTORS];
	} used;
	_Alignas(16) struct virtio_blk_header header;
	uint8_t status;
};

_Static_assert(sizeof(struct shared) <= VIRTIO_BLK_MEMORY);

static struct shared *shared_of(const struct virtio_blk *device) {
	return (struct shared *)device->memory;
}

static bool queue_start(struct virtio_blk *device) {
	const struct virtio_queue_place place = {
		.number = QUEUE,
		.size = DESCRIPTORS,
		.descriptors = device->paddr + offsetof(struct shared, descriptors),
		.driver = device->paddr + offsetof(struct shared, available),
		.device = device->paddr + offsetof(struct shared, used),
	};

	memset(device->memory, 0, VIRTIO_BLK_MEMORY);
	device->sent = 0;
	return virtio_queue_start(&device->transport, &place, &device->notify);
}

// The device may limit segments to less than a request has; then it is of no use here.
static bool takes_requests(const struct virtio_blk *device, uint64_t features) {
	uint64_t sizes;

	if (!(features & VIRTIO_BLK_F_SIZE_MAX)) return true;
	return virtio_config_read64(
		       &device->transport, offsetof(struct virtio_blk_config, size_max), &sizes) &&
		(uint32_t)sizes >= BLOCK_MAXIMUM * BLOCK_SECTOR;
}

uint64_t virtio_blk_reset(struct virtio_blk *device) {
	uint64_t features;
	uint64_t sectors;

	device->active = false;
	if (!virtio_begin(&device->transport, VIRTIO_F_VERSION_1,
		    VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_SIZE_MAX, &features))
		return 0;
	device->has_flush = features & VIRTIO_BLK_F_FLUSH;
	if (!virtio_config_read64(
		    &device->transport, offsetof(struct virtio_blk_config, capacity), &sectors) ||
		!takes_requests(device, features) || !queue_start(device))
		return 0;
	virtio_run(&device->transport);
	return sectors;
}

static const uint32_t types[] = {
	[BLOCK_READ] = VIRTIO_BLK_IN,
	[BLOCK_WRITE] = VIRTIO_BLK_OUT,
	[BLOCK_FLUSH] = VIRTIO_BLK_FLUSH,
};

// Header, data if there are any, status (5.2.6).
static void fill(const struct virtio_blk *device, const struct block_job *job) {
	struct shared *shared = shared_of(device);
	struct virtq_split_descriptor *next = shared->descriptors;
	uint16_t data_flags = job->kind == BLOCK_READ ? VIRTQ_WRITE : 0;

	shared->header = (struct virtio_blk_header){
		.type = types[job->kind], .sector = job->sector};
	shared->status = STATUS_NONE;
	*next++ = (struct virtq_split_descriptor){device->paddr + offsetof(struct shared, header),
		sizeof(shared->header), VIRTQ_NEXT, 1};
	if (job->count > 0)
		*next++ = (struct virtq_split_descriptor){
			job->data_paddr, job->count * BLOCK_SECTOR, VIRTQ_NEXT | data_flags, 2};
	*next = (struct virtq_split_descriptor){
		device->paddr + offsetof(struct shared, status), 1, VIRTQ_WRITE, 0};
}

enum block_progress virtio_blk_start(struct virtio_blk *device, const struct block_job *job) {
	struct shared *shared = shared_of(device);

	if (!device_reaches(job)) return BLOCK_FAILED;
	// Without the feature completed writes are on the medium (5.2.6.2).
	if (job->kind == BLOCK_FLUSH && !device->has_flush) return BLOCK_DONE;
	fill(device, job);
	device->active = true;
	shared->available.heads[device->sent % DESCRIPTORS] = HEAD;
	device->sent++;
	// The request is in memory before its index, and that before the device is notified
	// (2.7.13).
	__atomic_store_n(&shared->available.area.index, device->sent, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	virtio_write(device->notify, sizeof(uint16_t), QUEUE);
	return BLOCK_UNDER_WAY;
}

static enum block_progress result_of(const struct virtio_blk *device) {
	switch (__atomic_load_n(&shared_of(device)->status, __ATOMIC_RELAXED)) {
	case VIRTIO_BLK_OK: return BLOCK_DONE;
	case VIRTIO_BLK_IOERR:
	case VIRTIO_BLK_UNSUPP: return BLOCK_FAILED;
	default: return BLOCK_STUCK;
	}
}

enum block_progress virtio_blk_interrupt(struct virtio_blk *device) {
	struct shared *shared = shared_of(device);
	uint16_t last = (uint16_t)(device->sent - 1);
	uint16_t index;

	(void)virtio_interrupt(&device->transport);
	if (!device->active) return BLOCK_IDLE;
	index = __atomic_load_n(&shared->used.area.index, __ATOMIC_ACQUIRE);
	if (index == last && !virtio_is_broken(&device->transport)) return BLOCK_UNDER_WAY;
	device->active = false;
	if (index != device->sent || shared->used.entries[last % DESCRIPTORS].id != HEAD)
		return BLOCK_STUCK;
	return result_of(device);
}
