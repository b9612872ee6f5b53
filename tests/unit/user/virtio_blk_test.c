// SPDX-License-Identifier: BSD-2-Clause
// The virtio disk driver against a fake device that carries out the requests in the driver's
// memory, or answers what no device may.
#include "test.h"
#include "virtio_fake.h"

#include <drivers/virtio_blk/device.h>
#include <virtio/block.h>

#include <stdlib.h>
#include <string.h>

enum {
	SECTORS = 64,
	QUEUE = 0,
};

#define DMA_PADDR 0x123450000ul
#define DATA_PADDR 0x200000000ul
#define FEATURES (VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED | VIRTIO_BLK_F_FLUSH)

static struct {
	bool hangs; // requests are never carried out
	uint8_t status; // of the next request
	uint32_t id; // the used entry's
	uint16_t extra; // added to the used index
	struct virtio_blk_config config;
	uint8_t medium[SECTORS][512];
	struct virtio_blk_header header; // of the last request
} blk;

static uint8_t *dma; // of the exact size
static uint8_t data[16 * 512];
static struct virtio_blk disk;

// Where an address of the device is in the test's memory.
static uint8_t *memory_at(uint64_t paddr, uint32_t bytes) {
	if (paddr >= DMA_PADDR && paddr + bytes <= DMA_PADDR + VIRTIO_BLK_MEMORY)
		return dma + (paddr - DMA_PADDR);
	check(paddr >= DATA_PADDR && paddr + bytes <= DATA_PADDR + sizeof(data));
	return data + (paddr - DATA_PADDR);
}

static void move(const struct virtq_split_descriptor *descriptor) {
	bool is_read = blk.header.type == VIRTIO_BLK_IN;
	uint8_t *memory = memory_at(descriptor->address, descriptor->length);

	check(descriptor->length % 512 == 0);
	check(!(descriptor->flags & VIRTQ_WRITE) == !is_read);
	for (unsigned i = 0; i < descriptor->length / 512; i++) {
		uint8_t *kept = blk.medium[(blk.header.sector + i) % SECTORS];

		memcpy(is_read ? memory + i * 512 : kept, is_read ? kept : memory + i * 512, 512);
	}
}

// One new request: header, perhaps data, status.
static void carry_out(unsigned queue) {
	const struct virtq_split_descriptor *table = fake_table(queue), *at = table;
	uint16_t head = 0;

	check(queue == QUEUE && fake_next(queue, &head));
	at = &table[head];
	check(at->length == sizeof(blk.header) && at->flags == VIRTQ_NEXT);
	memcpy(&blk.header, memory_at(at->address, at->length), sizeof(blk.header));
	if (blk.hangs) return;
	at = &table[at->next];
	if (at->flags & VIRTQ_NEXT) {
		check(blk.header.type != VIRTIO_BLK_FLUSH);
		if (blk.status == VIRTIO_BLK_OK) move(at);
		at = &table[at->next];
	}
	check(at->length == 1 && at->flags == VIRTQ_WRITE);
	*memory_at(at->address, 1) = blk.status;
	fake_return(queue, blk.id, 1, blk.extra);
}

static void fresh(void) {
	memset(&blk, 0, sizeof(blk));
	blk.config.capacity = 0x123456789a;
	fake_begin(&(struct virtio_fake){
		.features = FEATURES,
		.queue_size = 256,
		.config = &blk.config,
		.config_size = sizeof(blk.config),
		.notified = carry_out,
		.memory_at = memory_at,
	});
	free(dma);
	dma = aligned_alloc(4096, VIRTIO_BLK_MEMORY);
	disk = (struct virtio_blk){.memory = dma, .paddr = DMA_PADDR};
	check(virtio_places_find(fake_read_function, FAKE_SIZE, &disk.places));
}

static void start(void) {
	fresh();
	check(virtio_blk_reset(&disk) == 0x123456789a);
}

static enum block_progress run(enum block_kind kind, uint64_t sector, uint32_t count) {
	const struct block_job job = {.kind = kind,
		.sector = sector,
		.count = count,
		.data = data,
		.data_paddr = count ? DATA_PADDR : 0};
	enum block_progress progress = virtio_blk_start(&disk, &job);

	if (progress != BLOCK_UNDER_WAY || fake.isr == 0) return progress;
	progress = virtio_blk_interrupt(&disk);
	check(fake.isr == 0); // the line is quiet
	return progress;
}

static void places(void) {
	struct virtio_places found;

	fresh();
	check(disk.places.bar == FAKE_BAR && disk.places.notify == FAKE_NOTIFY);
	check(disk.places.notify_multiplier == FAKE_MULTIPLIER);
	check(disk.places.config == FAKE_CONFIG && disk.places.common == FAKE_COMMON);
	check(!virtio_places_find(
		fake_read_function, FAKE_SIZE - 1, &found)); // longer than what is mapped
	fake_function[0x64 + offsetof(struct fake_capability, bar)] = 2;
	check(!virtio_places_find(fake_read_function, FAKE_SIZE, &found));
	fresh();
	fake_function[0x8d] = 0; // the chain ends before the common structure
	check(!virtio_places_find(fake_read_function, FAKE_SIZE, &found));
	fake_function[0x8d] = 0x40; // and without an end
	check(!virtio_places_find(fake_read_function, FAKE_SIZE, &found));
	fake_function[0x8d] = 0xfc; // the last bytes are no capability
	check(!virtio_places_find(fake_read_function, FAKE_SIZE, &found));
	fresh();
	memset(fake_function + 0xa0 + offsetof(struct fake_capability, offset), 0xff, 4);
	check(!virtio_places_find(fake_read_function, FAKE_SIZE, &found));
	fake_function[PCI_REGISTER_STATUS] = 0;
	check(!virtio_places_find(fake_read_function, FAKE_SIZE, &found));
}

static void put_id(unsigned device, unsigned subsystem) {
	const uint16_t words[] = {VIRTIO_PCI_VENDOR, (uint16_t)device};

	memcpy(fake_function + PCI_REGISTER_VENDOR, words, sizeof(words));
	memcpy(fake_function + PCI_REGISTER_SUBSYSTEM + 2, &(uint16_t){(uint16_t)subsystem}, 2);
}

static void types(void) {
	fresh();
	check(!virtio_is_of_type(fake_read_function, VIRTIO_ID_BLOCK));
	put_id(0x1042, 0x1100);
	check(virtio_is_of_type(fake_read_function, VIRTIO_ID_BLOCK));
	check(!virtio_is_of_type(fake_read_function, VIRTIO_ID_NET));
	put_id(0x1001, VIRTIO_ID_BLOCK); // a transitional device
	check(virtio_is_of_type(fake_read_function, VIRTIO_ID_BLOCK));
	check(!virtio_is_of_type(fake_read_function, VIRTIO_ID_NET));
	put_id(0x1000, VIRTIO_ID_NET);
	check(virtio_is_of_type(fake_read_function, VIRTIO_ID_NET));
	fake_function[PCI_REGISTER_VENDOR] ^= 1;
	check(!virtio_is_of_type(fake_read_function, VIRTIO_ID_NET));
}

static void moves(void) {
	start();
	check(fake.accepted == (VIRTIO_F_VERSION_1 | VIRTIO_BLK_F_FLUSH));
	fake.features |= VIRTIO_F_ACCESS_PLATFORM;
	check(virtio_blk_reset(&disk) > 0 && (fake.accepted & VIRTIO_F_ACCESS_PLATFORM));
	check(fake.queues[QUEUE].vector == VIRTIO_PCI_NO_VECTOR);
	// More than once through the ring.
	for (unsigned round = 0; round < 9; round++) {
		for (unsigned i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)(i * 7 + i / 512 + round);
		check(run(BLOCK_WRITE, 0x123456780a, 16) == BLOCK_DONE);
		check(blk.header.sector == 0x123456780a);
		memset(data, 0, sizeof(data));
		check(run(BLOCK_READ, 0x123456780a, 16) == BLOCK_DONE);
		for (unsigned i = 0; i < sizeof(data); i++)
			if (data[i] != (uint8_t)(i * 7 + i / 512 + round)) {
				check(false);
				return;
			}
	}
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_DONE && blk.header.type == VIRTIO_BLK_FLUSH);
}

static void flush(void) {
	start();
	blk.hangs = true;
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_UNDER_WAY); // not before the device has
	fresh();
	fake.features = VIRTIO_F_VERSION_1;
	check(virtio_blk_reset(&disk) > 0);
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_DONE && fake.seen[QUEUE] == 0);
}

static void refused_starts(void) {
	fresh();
	fake.no_reset = true;
	check(virtio_blk_reset(&disk) == 0);
	fresh();
	fake.features &= ~VIRTIO_F_VERSION_1;
	check(virtio_blk_reset(&disk) == 0 && fake.common.status == VIRTIO_FAILED);
	fresh();
	fake.refuses_features = true;
	check(virtio_blk_reset(&disk) == 0);
	fresh();
	fake.queue_size = 2; // too few descriptors
	check(virtio_blk_reset(&disk) == 0);
	fresh();
	disk.places.notify_length = FAKE_NOTIFY_OFF * FAKE_MULTIPLIER + 1;
	check(virtio_blk_reset(&disk) == 0);
	fresh();
	fake.unsteady = true;
	check(virtio_blk_reset(&disk) == 0);
	fresh();
	disk.places.config_length = 7;
	check(virtio_blk_reset(&disk) == 0);
	fresh();
	fake.features |= VIRTIO_BLK_F_SIZE_MAX;
	blk.config.size_max = 4096;
	check(virtio_blk_reset(&disk) == 0);
	blk.config.size_max = 1 << 20;
	check(virtio_blk_reset(&disk) > 0);
}

static void errors(void) {
	start();
	blk.status = VIRTIO_BLK_IOERR;
	check(run(BLOCK_READ, 0, 1) == BLOCK_FAILED);
	blk.status = VIRTIO_BLK_UNSUPP;
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_FAILED);
	blk.status = VIRTIO_BLK_OK;
	check(run(BLOCK_READ, 0, 1) == BLOCK_DONE);
}

static void damaged_answers(void) {
	start();
	blk.status = 77; // no such status
	check(run(BLOCK_READ, 0, 1) == BLOCK_STUCK);
	start();
	blk.id = 2; // a request that is none
	check(run(BLOCK_READ, 0, 1) == BLOCK_STUCK);
	start();
	blk.extra = 1; // more answers than requests
	check(run(BLOCK_READ, 0, 1) == BLOCK_STUCK);
	start();
	blk.hangs = true;
	check(run(BLOCK_READ, 0, 1) == BLOCK_UNDER_WAY);
	check(virtio_blk_interrupt(&disk) == BLOCK_UNDER_WAY); // a neighbour's interrupt
	fake.common.status |= VIRTIO_NEEDS_RESET;
	check(virtio_blk_interrupt(&disk) == BLOCK_STUCK);
	check(virtio_blk_interrupt(&disk) == BLOCK_IDLE);
	blk.hangs = false;
	check(virtio_blk_reset(&disk) > 0 && run(BLOCK_READ, 0, 1) == BLOCK_DONE);
}

static void unknown_places(void) {
	const struct block_job job = {.kind = BLOCK_READ, .count = 1, .data = data};

	start();
	check(virtio_blk_start(&disk, &job) == BLOCK_FAILED && fake.seen[QUEUE] == 0);
}

static const struct test rows[] = {
	{"user/virtio-blk/places", "structures outside the mapped BAR are refused, loops end",
		places},
	{"user/virtio-blk/types", "a device is known by its type, transitional or not", types},
	{"user/virtio-blk/moves", "sectors move by DMA, and the interrupt line is quiet after",
		moves},
	{"user/virtio-blk/flush", "a flush is done when the device says so, or writes always are",
		flush},
	{"user/virtio-blk/starts", "a device that is not as it must be is no disk", refused_starts},
	{"user/virtio-blk/errors", "an error ends the request; the next one is carried out",
		errors},
	{"user/virtio-blk/damaged", "answers that cannot be stop the device until its reset",
		damaged_answers},
	{"user/virtio-blk/no-place", "no request is sent with an address that is unknown",
		unknown_places},
};

const struct tests virtio_blk_tests = {rows, array_count(rows)};
