// SPDX-License-Identifier: BSD-2-Clause
// The virtio disk driver against a fake device that carries out the requests in the driver's
// memory, or answers what no device may.
#include "test.h"

#include <drivers/virtio_blk/device.h>
#include <lib/virtio/registers.h>
#include <pci/pci.h>
#include <virtio/block.h>
#include <virtio/pci.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
	SECTORS = 64,
	SIZE = 0x4000, // of the BAR
	COMMON = 0x0,
	ISR = 0x1000,
	CONFIG = 0x2000,
	NOTIFY = 0x3000,
	MULTIPLIER = 4,
	NOTIFY_OFF = 3,
	BAR = 4,
};

#define DMA_PADDR 0x123450000ul
#define DATA_PADDR 0x200000000ul
#define FEATURES (VIRTIO_F_VERSION_1 | VIRTIO_F_RING_PACKED | VIRTIO_BLK_F_FLUSH)

// The common structure and a capability, as they are laid out.
struct common {
	uint32_t device_feature_select, device_feature;
	uint32_t driver_feature_select, driver_feature;
	uint16_t config_vector;
	uint16_t queue_count;
	uint8_t status;
	uint8_t config_generation;
	uint16_t queue_select;
	uint16_t queue_size;
	uint16_t queue_vector;
	uint16_t queue_enable;
	uint16_t queue_notify_off;
	uint32_t queue_descriptors[2], queue_driver[2], queue_device[2];
};

struct capability {
	uint8_t kind, next, size, structure;
	uint8_t bar;
	uint8_t padding[3];
	uint32_t offset, length;
	uint32_t multiplier;
};

static struct {
	uint64_t features;
	bool no_reset; // the status never becomes 0
	bool refuses_features;
	bool hangs; // requests are never carried out
	bool unsteady; // the configuration changes all the time
	uint8_t status; // of the next request
	uint32_t id; // the used entry's
	uint16_t extra; // added to the used index
	uint16_t queue_size;
	struct common common;
	uint32_t accepted[2];
	uint32_t isr;
	struct virtio_blk_config config;
	uint8_t medium[SECTORS][512];
	uint16_t seen; // requests
	struct virtio_blk_header header; // of the last request
} fake;

static uint8_t function[PCI_SPACE]; // configuration registers
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

static uint64_t pair(const uint32_t *words) { return words[0] | (uint64_t)words[1] << 32; }

static void move(const struct virtq_split_descriptor *descriptor) {
	bool is_read = fake.header.type == VIRTIO_BLK_IN;
	uint8_t *memory = memory_at(descriptor->address, descriptor->length);

	check(descriptor->length % 512 == 0);
	check(!(descriptor->flags & VIRTQ_WRITE) == !is_read);
	for (unsigned i = 0; i < descriptor->length / 512; i++) {
		uint8_t *kept = fake.medium[(fake.header.sector + i) % SECTORS];

		memcpy(is_read ? memory + i * 512 : kept, is_read ? kept : memory + i * 512, 512);
	}
}

static void end(uint16_t size) {
	uint8_t *used = memory_at(pair(fake.common.queue_device), 4 + 8u * size);
	struct virtq_used_entry entry = {fake.id, 1};
	uint16_t index;

	memcpy(&index, used + 2, sizeof(index));
	memcpy(used + 4 + 8 * (index % size), &entry, sizeof(entry));
	index = (uint16_t)(index + 1 + fake.extra);
	memcpy(used + 2, &index, sizeof(index));
	fake.isr |= VIRTIO_PCI_ISR_QUEUE;
}

// One new request: header, perhaps data, status.
static void carry_out(void) {
	uint16_t size = fake.common.queue_size;
	const struct virtq_split_descriptor *table = (void *)memory_at(
		pair(fake.common.queue_descriptors), 16u * size);
	const uint16_t *available = (void *)memory_at(
		pair(fake.common.queue_driver), 6 + 2u * size);
	const struct virtq_split_descriptor *at = &table[available[2 + fake.seen % size]];

	check(available[1] == (uint16_t)(fake.seen + 1));
	check(fake.common.status ==
		(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK));
	fake.seen++;
	check(at->length == sizeof(fake.header) && at->flags == VIRTQ_NEXT);
	memcpy(&fake.header, memory_at(at->address, at->length), sizeof(fake.header));
	if (fake.hangs) return;
	at = &table[at->next];
	if (at->flags & VIRTQ_NEXT) {
		check(fake.header.type != VIRTIO_BLK_FLUSH);
		if (fake.status == VIRTIO_BLK_OK) move(at);
		at = &table[at->next];
	}
	check(at->length == 1 && at->flags == VIRTQ_WRITE);
	*memory_at(at->address, 1) = fake.status;
	end(size);
}

uint32_t virtio_read(uint64_t offset, unsigned width) {
	uint32_t value = 0;

	if (offset == ISR) {
		value = fake.isr;
		fake.isr = 0;
		return value;
	}
	if (offset == COMMON + offsetof(struct common, device_feature))
		return (uint32_t)(fake.features >> 32 * fake.common.device_feature_select);
	if (offset == COMMON + offsetof(struct common, config_generation))
		return fake.common.config_generation += fake.unsteady;
	check(offset % width == 0);
	if (offset >= CONFIG) {
		check(offset + width <= CONFIG + sizeof(fake.config));
		memcpy(&value, (uint8_t *)&fake.config + (offset - CONFIG), width);
	} else {
		check(offset + width <= sizeof(fake.common));
		memcpy(&value, (uint8_t *)&fake.common + offset, width);
	}
	return value;
}

static void write_status(uint8_t status) {
	if (status == 0) {
		fake.common = (struct common){
			.queue_size = fake.queue_size, .queue_notify_off = NOTIFY_OFF};
		fake.seen = 0;
		fake.isr = 0;
		if (fake.no_reset) fake.common.status = VIRTIO_DRIVER_OK;
		return;
	}
	if (fake.refuses_features) status &= (uint8_t)~VIRTIO_FEATURES_OK;
	fake.common.status = status;
}

void virtio_write(uint64_t offset, unsigned width, uint32_t value) {
	if (offset == NOTIFY + NOTIFY_OFF * MULTIPLIER) {
		check(width == 2 && value == 0 && fake.common.queue_enable == 1);
		carry_out();
		return;
	}
	check(offset + width <= sizeof(fake.common) && offset % width == 0);
	if (offset == offsetof(struct common, status)) {
		write_status((uint8_t)value);
		return;
	}
	memcpy((uint8_t *)&fake.common + offset, &value, width);
	if (offset == offsetof(struct common, driver_feature))
		fake.accepted[fake.common.driver_feature_select & 1] = value;
}

static uint32_t read_function(unsigned offset, unsigned width) {
	uint32_t value = 0;

	check(offset + width <= sizeof(function));
	memcpy(&value, function + offset, width);
	return value;
}

static void put_capability(unsigned at, unsigned next, unsigned structure, uint32_t offset) {
	const struct capability capability = {.kind = PCI_CAPABILITY_VENDOR,
		.next = (uint8_t)next,
		.size = sizeof(capability),
		.structure = (uint8_t)structure,
		.bar = BAR,
		.offset = offset,
		.length = structure == VIRTIO_PCI_CONFIG ? sizeof(fake.config) : 0x1000,
		.multiplier = MULTIPLIER};

	memcpy(function + at, &capability, sizeof(capability));
}

static void fresh(void) {
	memset(&fake, 0, sizeof(fake));
	memset(function, 0, sizeof(function));
	fake.features = FEATURES;
	fake.queue_size = 256;
	fake.config.capacity = 0x123456789a;
	function[PCI_REGISTER_STATUS] = PCI_STATUS_CAPABILITIES;
	function[PCI_REGISTER_CAPABILITIES] = 0x40;
	function[0x40] = PCI_CAPABILITY_MSIX;
	function[0x41] = 0x50;
	put_capability(0x50, 0x64, VIRTIO_PCI_ACCESS, 0);
	put_capability(0x64, 0x78, VIRTIO_PCI_NOTIFY, NOTIFY);
	put_capability(0x78, 0x8c, VIRTIO_PCI_CONFIG, CONFIG);
	put_capability(0x8c, 0xa0, VIRTIO_PCI_ISR, ISR);
	put_capability(0xa0, 0xb4, VIRTIO_PCI_COMMON, COMMON);
	put_capability(0xb4, 0, VIRTIO_PCI_COMMON, 0x3fff); // the first counts
	free(dma);
	dma = aligned_alloc(4096, VIRTIO_BLK_MEMORY);
	disk = (struct virtio_blk){.memory = dma, .paddr = DMA_PADDR};
	check(virtio_places_find(read_function, SIZE, &disk.transport.places));
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
	check(disk.transport.places.bar == BAR && disk.transport.places.notify == NOTIFY);
	check(disk.transport.places.notify_multiplier == MULTIPLIER);
	check(disk.transport.places.config == CONFIG && disk.transport.places.common == COMMON);
	check(!virtio_places_find(read_function, SIZE - 1, &found)); // longer than what is mapped
	function[0x64 + offsetof(struct capability, bar)] = 2;
	check(!virtio_places_find(read_function, SIZE, &found));
	fresh();
	function[0x8d] = 0; // the chain ends before the common structure
	check(!virtio_places_find(read_function, SIZE, &found));
	function[0x8d] = 0x40; // and without an end
	check(!virtio_places_find(read_function, SIZE, &found));
	function[0x8d] = 0xfc; // the last bytes are no capability
	check(!virtio_places_find(read_function, SIZE, &found));
	fresh();
	memset(function + 0xa0 + offsetof(struct capability, offset), 0xff, 4);
	check(!virtio_places_find(read_function, SIZE, &found));
	function[PCI_REGISTER_STATUS] = 0;
	check(!virtio_places_find(read_function, SIZE, &found));
}

static void moves(void) {
	start();
	check(((uint64_t)fake.accepted[1] << 32 | fake.accepted[0]) ==
		(VIRTIO_F_VERSION_1 | VIRTIO_BLK_F_FLUSH));
	check(fake.common.queue_vector == VIRTIO_PCI_NO_VECTOR);
	// More than once through the ring.
	for (unsigned round = 0; round < 9; round++) {
		for (unsigned i = 0; i < sizeof(data); i++)
			data[i] = (uint8_t)(i * 7 + i / 512 + round);
		check(run(BLOCK_WRITE, 0x123456780a, 16) == BLOCK_DONE);
		check(fake.header.sector == 0x123456780a);
		memset(data, 0, sizeof(data));
		check(run(BLOCK_READ, 0x123456780a, 16) == BLOCK_DONE);
		for (unsigned i = 0; i < sizeof(data); i++)
			if (data[i] != (uint8_t)(i * 7 + i / 512 + round)) {
				check(false);
				return;
			}
	}
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_DONE && fake.header.type == VIRTIO_BLK_FLUSH);
}

static void flush(void) {
	start();
	fake.hangs = true;
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_UNDER_WAY); // not before the device has
	fresh();
	fake.features = VIRTIO_F_VERSION_1;
	check(virtio_blk_reset(&disk) > 0);
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_DONE && fake.seen == 0);
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
	disk.transport.places.notify_length = NOTIFY_OFF * MULTIPLIER + 1;
	check(virtio_blk_reset(&disk) == 0);
	fresh();
	fake.unsteady = true;
	check(virtio_blk_reset(&disk) == 0);
	fresh();
	disk.transport.places.config_length = 7;
	check(virtio_blk_reset(&disk) == 0);
	fresh();
	fake.features |= VIRTIO_BLK_F_SIZE_MAX;
	fake.config.size_max = 4096;
	check(virtio_blk_reset(&disk) == 0);
	fake.config.size_max = 1 << 20;
	check(virtio_blk_reset(&disk) > 0);
}

static void errors(void) {
	start();
	fake.status = VIRTIO_BLK_IOERR;
	check(run(BLOCK_READ, 0, 1) == BLOCK_FAILED);
	fake.status = VIRTIO_BLK_UNSUPP;
	check(run(BLOCK_FLUSH, 0, 0) == BLOCK_FAILED);
	fake.status = VIRTIO_BLK_OK;
	check(run(BLOCK_READ, 0, 1) == BLOCK_DONE);
}

static void damaged_answers(void) {
	start();
	fake.status = 77; // no such status
	check(run(BLOCK_READ, 0, 1) == BLOCK_STUCK);
	start();
	fake.id = 2; // a request that is none
	check(run(BLOCK_READ, 0, 1) == BLOCK_STUCK);
	start();
	fake.extra = 1; // more answers than requests
	check(run(BLOCK_READ, 0, 1) == BLOCK_STUCK);
	start();
	fake.hangs = true;
	check(run(BLOCK_READ, 0, 1) == BLOCK_UNDER_WAY);
	check(virtio_blk_interrupt(&disk) == BLOCK_UNDER_WAY); // a neighbour's interrupt
	fake.common.status |= VIRTIO_NEEDS_RESET;
	check(virtio_blk_interrupt(&disk) == BLOCK_STUCK);
	check(virtio_blk_interrupt(&disk) == BLOCK_IDLE);
	fake.hangs = false;
	check(virtio_blk_reset(&disk) > 0 && run(BLOCK_READ, 0, 1) == BLOCK_DONE);
}

static void unknown_places(void) {
	const struct block_job job = {.kind = BLOCK_READ, .count = 1, .data = data};

	start();
	check(virtio_blk_start(&disk, &job) == BLOCK_FAILED && fake.seen == 0);
}

static const struct test rows[] = {
	{"user/virtio-blk/places", "structures outside the mapped BAR are refused, loops end",
		places},
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
