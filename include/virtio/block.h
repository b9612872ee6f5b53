// SPDX-License-Identifier: BSD-2-Clause
// The block device (virtio 1.2, 5.2).
#pragma once

#include <virtio/virtio.h>

// Features (5.2.3).
#define VIRTIO_BLK_F_SIZE_MAX (1ull << 1)
#define VIRTIO_BLK_F_SEG_MAX (1ull << 2)
#define VIRTIO_BLK_F_RO (1ull << 5)
#define VIRTIO_BLK_F_BLK_SIZE (1ull << 6)
#define VIRTIO_BLK_F_FLUSH (1ull << 9)
#define VIRTIO_BLK_F_DISCARD (1ull << 13)
#define VIRTIO_BLK_F_WRITE_ZEROES (1ull << 14)

// 5.2.4.
struct virtio_blk_config {
	uint64_t capacity; // sectors
	uint32_t size_max; // bytes of a segment
	uint32_t seg_max; // segments of a request
	uint16_t cylinders;
	uint8_t heads, sectors;
	uint32_t blk_size;
	uint8_t physical_block_exp, alignment_offset;
	uint16_t min_io_size;
	uint32_t opt_io_size;
	uint8_t writeback, unused;
	uint16_t num_queues;
	uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
	uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
	uint8_t write_zeroes_may_unmap, unused_too[3];
};

ABI_ASSERT(sizeof(struct virtio_blk_config) == 64);

enum {
	VIRTIO_BLK_SECTOR = 512,
	VIRTIO_BLK_ID = 20, // bytes of a serial number
};

// Types of requests (5.2.6).
enum virtio_blk_type {
	VIRTIO_BLK_IN = 0,
	VIRTIO_BLK_OUT = 1,
	VIRTIO_BLK_FLUSH = 4,
	VIRTIO_BLK_GET_ID = 8,
	VIRTIO_BLK_DISCARD = 11,
	VIRTIO_BLK_WRITE_ZEROES = 13,
};

enum virtio_blk_status {
	VIRTIO_BLK_OK = 0,
	VIRTIO_BLK_IOERR = 1,
	VIRTIO_BLK_UNSUPP = 2,
};

// What a request begins with. A byte of status ends it.
struct virtio_blk_header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};

// Of DISCARD and WRITE_ZEROES.
struct virtio_blk_range {
	uint64_t sector;
	uint32_t count;
	uint32_t flags;
};

enum {
	VIRTIO_BLK_UNMAP = 1, // the only flag, of WRITE_ZEROES only
};

ABI_ASSERT(sizeof(struct virtio_blk_header) == 16 && sizeof(struct virtio_blk_range) == 16);
