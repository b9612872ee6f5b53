// SPDX-License-Identifier: BSD-2-Clause
// A virtio device on PCI as its driver sees it.
#include "virtio_fake.h"

#include "test.h"

#include <lib/virtio/registers.h>

#include <string.h>

struct virtio_fake fake;
uint8_t fake_function[PCI_SPACE];

static uint64_t pair(const uint32_t *words) { return words[0] | (uint64_t)words[1] << 32; }

const struct virtq_split_descriptor *fake_table(unsigned queue) {
	const struct fake_queue *at = &fake.queues[queue];

	return (const void *)fake.memory_at(pair(at->descriptors), 16u * at->size);
}

bool fake_next(unsigned queue, uint16_t *head) {
	const struct fake_queue *at = &fake.queues[queue];
	const uint16_t *available = (const void *)fake.memory_at(
		pair(at->driver), 4 + 2u * at->size);

	check(fake.common.status ==
		(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK));
	check((uint16_t)(available[1] - fake.seen[queue]) <= at->size);
	if (available[1] == fake.seen[queue]) return false;
	*head = available[2 + fake.seen[queue]++ % at->size];
	check(*head < at->size);
	return true;
}

void fake_return(unsigned queue, uint32_t id, uint32_t length, uint16_t extra) {
	const struct fake_queue *at = &fake.queues[queue];
	uint8_t *used = fake.memory_at(pair(at->device), 4 + 8u * at->size);
	struct virtq_used_entry entry = {id, length};
	uint16_t index;

	memcpy(used + 4 + 8 * (fake.returned[queue]++ % at->size), &entry, sizeof(entry));
	index = (uint16_t)(fake.returned[queue] + extra);
	memcpy(used + 2, &index, sizeof(index));
	fake.isr |= VIRTIO_PCI_ISR_QUEUE;
}

// What is behind an offset of the common structure; the queue's registers are those of the one that
// is selected.
static uint8_t *common_at(uint64_t offset, unsigned width) {
	// Their order there: size, vector, enable, offset of notifications, addresses.
	check(offset % width == 0 && offset + width <= VIRTIO_PCI_COMMON_SIZE);
	if (offset < VIRTIO_PCI_QUEUE_SIZE) return (uint8_t *)&fake.common + offset;
	check(fake.common.queue_select < FAKE_QUEUES);
	return (uint8_t *)&fake.queues[fake.common.queue_select % FAKE_QUEUES] +
		(offset - VIRTIO_PCI_QUEUE_SIZE);
}

uint32_t virtio_read(uint64_t offset, unsigned width) {
	uint32_t value = 0;

	if (offset == FAKE_ISR) {
		value = fake.isr;
		fake.isr = 0;
		return value;
	}
	if (offset == VIRTIO_PCI_DEVICE_FEATURE)
		return (uint32_t)(fake.features >> 32 * fake.common.device_feature_select);
	if (offset == VIRTIO_PCI_GENERATION) return fake.common.config_generation += fake.unsteady;
	if (offset >= FAKE_CONFIG) {
		check(offset % width == 0 && offset + width <= FAKE_CONFIG + fake.config_size);
		memcpy(&value, (const uint8_t *)fake.config + (offset - FAKE_CONFIG), width);
	} else {
		memcpy(&value, common_at(offset, width), width);
	}
	return value;
}

static void write_status(uint8_t status) {
	if (status == 0) {
		memset(&fake.common, 0, sizeof(fake.common));
		memset(fake.seen, 0, sizeof(fake.seen));
		memset(fake.returned, 0, sizeof(fake.returned));
		for (unsigned i = 0; i < FAKE_QUEUES; i++)
			fake.queues[i] = (struct fake_queue){.size = fake.queue_size,
				.notify_off = (uint16_t)(FAKE_NOTIFY_OFF + i)};
		fake.isr = 0;
		if (fake.no_reset) fake.common.status = VIRTIO_DRIVER_OK;
		return;
	}
	if (fake.refuses_features) status &= (uint8_t)~VIRTIO_FEATURES_OK;
	fake.common.status = status;
}

void virtio_write(uint64_t offset, unsigned width, uint32_t value) {
	if (offset >= FAKE_NOTIFY) {
		unsigned queue = (unsigned)(offset - FAKE_NOTIFY) / FAKE_MULTIPLIER -
			FAKE_NOTIFY_OFF;

		check(width == 2 && value == queue && queue < FAKE_QUEUES);
		check(fake.queues[queue].enable == 1);
		fake.notified(queue);
		return;
	}
	if (offset == VIRTIO_PCI_STATUS) {
		write_status((uint8_t)value);
		return;
	}
	memcpy(common_at(offset, width), &value, width);
	if (offset == VIRTIO_PCI_DRIVER_FEATURE) {
		unsigned shift = 32 * (fake.common.driver_feature_select & 1);

		fake.accepted &= ~(0xfffffffful << shift);
		fake.accepted |= (uint64_t)value << shift;
	}
}

uint32_t fake_read_function(unsigned offset, unsigned width) {
	uint32_t value = 0;

	check(offset + width <= sizeof(fake_function));
	memcpy(&value, fake_function + offset, width);
	return value;
}

static void put_capability(unsigned at, unsigned next, unsigned structure, uint32_t offset) {
	const struct fake_capability capability = {.kind = PCI_CAPABILITY_VENDOR,
		.next = (uint8_t)next,
		.size = sizeof(capability),
		.structure = (uint8_t)structure,
		.bar = FAKE_BAR,
		.offset = offset,
		.length = structure == VIRTIO_PCI_CONFIG ? (uint32_t)fake.config_size : 0x1000,
		.multiplier = FAKE_MULTIPLIER};

	memcpy(fake_function + at, &capability, sizeof(capability));
}

void fake_begin(const struct virtio_fake *settings) {
	fake = *settings;
	memset(fake_function, 0, sizeof(fake_function));
	fake_function[PCI_REGISTER_STATUS] = PCI_STATUS_CAPABILITIES;
	fake_function[PCI_REGISTER_CAPABILITIES] = 0x40;
	fake_function[0x40] = PCI_CAPABILITY_MSIX;
	fake_function[0x41] = 0x50;
	put_capability(0x50, 0x64, VIRTIO_PCI_ACCESS, 0);
	put_capability(0x64, 0x78, VIRTIO_PCI_NOTIFY, FAKE_NOTIFY);
	put_capability(0x78, 0x8c, VIRTIO_PCI_CONFIG, FAKE_CONFIG);
	put_capability(0x8c, 0xa0, VIRTIO_PCI_ISR, FAKE_ISR);
	put_capability(0xa0, 0xb4, VIRTIO_PCI_COMMON, FAKE_COMMON);
	put_capability(0xb4, 0, VIRTIO_PCI_COMMON, 0x3fff); // the first counts
}
