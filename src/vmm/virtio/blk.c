// SPDX-License-Identifier: BSD-2-Clause
// The block device: requests to parts, and the answers back.
#include <vmm/virtio/blk.h>

#include <base/bits.h>
#include <base/memory.h>

enum {
	PLACES = 128,
	HEADER = sizeof(struct virtio_blk_header),
	STATUS = 1, // byte
	SEGMENTS = VIRTQUEUE_SEGMENTS - 2, // without header and status
	RANGE = 1 << 16, // most sectors that are discarded or zeroed by one request
};

static struct blk *blk_of(struct virtio_device *device) { return (struct blk *)device; }

static void finish(struct blk *blk, uint32_t number) {
	struct blk_request *request = &blk->requests[number];
	bool good = request->result == VIRTIO_BLK_OK;

	blk->free |= BIT(number);
	if (!request->dropped) {
		*request->status = (uint8_t)request->result;
		virtqueue_put(&blk->queue, request->token, good ? request->written : STATUS);
	}
	virtio_release(&blk->device);
}

static bool submit(struct blk *blk, const struct blk_part *part) {
	if (!blk->backend.submit(blk->backend.context, part)) return false;
	blk->requests[part->tag].parts++;
	return true;
}

static bool all_submitted(const struct blk *blk) { return blk->left == 0 && !blk->single; }

// The part that is done last ends a request, or is followed by its flush.
static void settle_request(struct blk *blk, uint32_t number) {
	struct blk_request *request = &blk->requests[number];

	if (request->parts > 0 || (!all_submitted(blk) && blk->next.tag == number)) return;
	if (request->flush && request->result == VIRTIO_BLK_OK)
		blk->flushes |= BIT(number);
	else
		finish(blk, number);
}

// Bytes of guest memory in one piece from the present position: neighbours become one.
static uint64_t piece(const struct blk *blk) {
	const struct virtio_segment *segment = &blk->chain.segments[blk->segment];
	const uint8_t *end = segment->bytes + segment->length;
	uint64_t length = segment->length - blk->offset;

	while (length < blk->left && (++segment)->bytes == end) {
		end += segment->length;
		length += segment->length;
	}
	return length < blk->left ? length : blk->left;
}

static void advance(struct blk *blk, uint64_t bytes) {
	uint64_t offset = blk->offset + bytes;

	while (blk->left > 0 && offset >= blk->chain.segments[blk->segment].length)
		offset -= blk->chain.segments[blk->segment++].length;
	blk->offset = (uint32_t)offset;
}

// The next part of the data; false when the back end has no room.
static bool submit_piece(struct blk *blk) {
	uint64_t count = piece(blk) / VIRTIO_BLK_SECTOR;

	if (count == 0) {
		// Sectors in several pieces: drivers of disks do not do that.
		blk->requests[blk->next.tag].result = VIRTIO_BLK_IOERR;
		blk->left = 0;
		return true;
	}
	if (count > blk->backend.maximum) count = blk->backend.maximum;
	blk->next.bytes = blk->chain.segments[blk->segment].bytes + blk->offset;
	blk->next.count = (uint32_t)count;
	if (!submit(blk, &blk->next)) return false;
	blk->next.sector += count;
	blk->left -= count * VIRTIO_BLK_SECTOR;
	advance(blk, count * VIRTIO_BLK_SECTOR);
	return true;
}

// Submits what is left of the request that was taken last; false when the back end has no room.
static bool submit_all(struct blk *blk) {
	if (all_submitted(blk)) return true;
	if (blk->single && !submit(blk, &blk->next)) return false;
	blk->single = false;
	while (blk->left > 0)
		if (!submit_piece(blk)) return false;
	settle_request(blk, blk->next.tag);
	return true;
}

static bool submit_flushes(struct blk *blk) {
	for (; blk->flushes != 0; blk->flushes &= blk->flushes - 1) {
		const struct blk_part part = {
			.kind = BLOCK_FLUSH, .tag = bits_lowest(blk->flushes)};

		if (!submit(blk, &part)) return false;
		blk->requests[part.tag].flush = false;
	}
	return true;
}

static bool fits(const struct blk *blk, uint64_t sector, uint64_t count) {
	return count > 0 && range_fits(sector, count, blk->config.capacity);
}

static bool is_read_only(const struct blk *blk) { return blk->device.offered & VIRTIO_BLK_F_RO; }

// Data to or from the disk. The first readable bytes are the header, the last writable one is the
// status.
static enum virtio_blk_status begin_transfer(
	struct blk *blk, enum block_kind kind, uint64_t sector, uint64_t bytes) {
	bool writes = kind == BLOCK_WRITE;

	if ((writes && is_read_only(blk)) || !is_aligned(bytes, VIRTIO_BLK_SECTOR) ||
		!fits(blk, sector, bytes / VIRTIO_BLK_SECTOR))
		return VIRTIO_BLK_IOERR;
	blk->next.kind = kind;
	blk->next.sector = sector;
	blk->left = bytes;
	blk->segment = writes ? 0 : blk->chain.readable;
	blk->offset = 0;
	if (writes) advance(blk, HEADER);
	return VIRTIO_BLK_OK;
}

static enum virtio_blk_status begin_single(
	struct blk *blk, enum block_kind kind, uint64_t sector, uint32_t count) {
	blk->next = (struct blk_part){
		.kind = kind, .tag = blk->next.tag, .sector = sector, .count = count};
	blk->single = true;
	return VIRTIO_BLK_OK;
}

static enum virtio_blk_status begin_range(
	struct blk *blk, enum block_kind kind, uint64_t feature, uint32_t flags) {
	struct virtio_blk_range range;

	if (!virtio_has(&blk->device, feature)) return VIRTIO_BLK_UNSUPP;
	if (blk->chain.readable_bytes != HEADER + sizeof(range) ||
		virtio_chain_read(&blk->chain, HEADER, &range, sizeof(range)) != sizeof(range))
		return VIRTIO_BLK_IOERR;
	if (range.flags & ~flags) return VIRTIO_BLK_UNSUPP;
	if (is_read_only(blk) || !fits(blk, range.sector, range.count)) return VIRTIO_BLK_IOERR;
	return begin_single(blk, kind, range.sector, range.count);
}

static enum virtio_blk_status write_serial(struct blk *blk, struct blk_request *request) {
	if (blk->chain.writable_bytes < VIRTIO_BLK_ID + STATUS) return VIRTIO_BLK_IOERR;
	request->written = virtio_chain_write(&blk->chain, 0, blk->serial, VIRTIO_BLK_ID) + STATUS;
	return VIRTIO_BLK_OK;
}

static enum virtio_blk_status begin(struct blk *blk, struct blk_request *request) {
	struct virtio_chain *chain = &blk->chain;
	struct virtio_blk_header header;

	if (virtio_chain_read(chain, 0, &header, HEADER) < HEADER) return VIRTIO_BLK_IOERR;
	switch (header.type) {
	case VIRTIO_BLK_IN:
		request->written = (uint32_t)chain->writable_bytes;
		return begin_transfer(
			blk, BLOCK_READ, header.sector, chain->writable_bytes - STATUS);
	case VIRTIO_BLK_OUT:
		request->flush = !virtio_has(&blk->device, VIRTIO_BLK_F_FLUSH);
		return begin_transfer(
			blk, BLOCK_WRITE, header.sector, chain->readable_bytes - HEADER);
	case VIRTIO_BLK_FLUSH: return begin_single(blk, BLOCK_FLUSH, 0, 0);
	case VIRTIO_BLK_GET_ID: return write_serial(blk, request);
	case VIRTIO_BLK_DISCARD: return begin_range(blk, BLOCK_DISCARD, VIRTIO_BLK_F_DISCARD, 0);
	case VIRTIO_BLK_WRITE_ZEROES:
		request->flush = !virtio_has(&blk->device, VIRTIO_BLK_F_FLUSH);
		return begin_range(
			blk, BLOCK_WRITE_ZEROES, VIRTIO_BLK_F_WRITE_ZEROES, VIRTIO_BLK_UNMAP);
	default: return VIRTIO_BLK_UNSUPP;
	}
}

// A request without a place for its answer cannot be answered.
static bool accept(struct blk *blk) {
	const struct virtio_chain *chain = &blk->chain;
	uint32_t number = bits_lowest(blk->free);
	struct blk_request *request = &blk->requests[number];
	const struct virtio_segment *last;

	if (chain->writable == 0) {
		virtio_break(&blk->device, "a request without a byte for its status");
		return false;
	}
	last = &chain->segments[chain->readable + chain->writable - 1];
	*request = (struct blk_request){
		.token = chain->token,
		.status = last->bytes + last->length - STATUS,
		.written = STATUS,
	};
	blk->free &= ~BIT(number);
	blk->device.held++;
	blk->next.tag = number;
	request->result = begin(blk, request);
	if (all_submitted(blk)) settle_request(blk, number);
	return true;
}

void blk_settle(struct blk *blk) {
	do {
		while (submit_flushes(blk) && submit_all(blk) && blk->free != 0 &&
			virtqueue_take(&blk->queue, &blk->chain) && accept(blk))
			;
	} while (blk->backend.commit(blk->backend.context));
	virtqueue_signal(&blk->queue);
}

void blk_done(struct blk *blk, uint32_t tag, bool success) {
	struct blk_request *request = &blk->requests[tag];

	if (!success) request->result = VIRTIO_BLK_IOERR;
	request->parts--;
	settle_request(blk, tag);
}

static void blk_notified(struct virtio_device *device, struct virtqueue *) {
	blk_settle(blk_of(device));
}

// Parts at the back end end later, and are no longer answered.
static void blk_reset(struct virtio_device *device) {
	struct blk *blk = blk_of(device);

	blk->left = 0;
	blk->single = false;
	blk->flushes = 0;
	for (uint64_t busy = ~blk->free; busy != 0; busy &= busy - 1) {
		struct blk_request *request = &blk->requests[bits_lowest(busy)];

		request->dropped = true;
		request->flush = false;
		settle_request(blk, bits_lowest(busy));
	}
}

static const struct virtio_ops blk_ops = {
	.name = "disk",
	.id = VIRTIO_ID_BLOCK,
	.reset = blk_reset,
	.notified = blk_notified,
};

void blk_init(struct blk *blk, const struct block_information *information) {
	uint64_t offered = VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE | VIRTIO_BLK_F_FLUSH;

	if (information->read_only) offered |= VIRTIO_BLK_F_RO;
	if (information->kinds & BIT(BLOCK_DISCARD)) offered |= VIRTIO_BLK_F_DISCARD;
	if (information->kinds & BIT(BLOCK_WRITE_ZEROES)) offered |= VIRTIO_BLK_F_WRITE_ZEROES;
	blk->queue.maximum = PLACES;
	blk->free = ~0ul;
	blk->config = (struct virtio_blk_config){
		.capacity = information->sectors,
		.seg_max = SEGMENTS,
		.blk_size = VIRTIO_BLK_SECTOR,
		.max_discard_sectors = RANGE,
		.max_discard_seg = 1,
		.discard_sector_alignment = 1,
		.max_write_zeroes_sectors = RANGE,
		.max_write_zeroes_seg = 1,
		.write_zeroes_may_unmap = 1,
	};
	blk->device.ops = &blk_ops;
	blk->device.offered = offered;
	blk->device.queues = &blk->queue;
	blk->device.queue_count = 1;
	blk->device.config = &blk->config;
	blk->device.config_size = sizeof(blk->config);
}
