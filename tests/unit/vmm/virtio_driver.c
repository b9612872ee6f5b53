// SPDX-License-Identifier: BSD-2-Clause
// The model of a driver.
#include "virtio_driver.h"

#include <string.h>

static void queue_interrupt(void *context, unsigned queue) {
	struct driver *driver = context;

	driver->interrupts[queue]++;
}

static void config_interrupt(void *context) {
	struct driver *driver = context;

	driver->config_interrupts++;
}

void driver_start(struct driver *driver, struct virtio_device *device, uint64_t features) {
	memset(driver, 0, sizeof(*driver));
	driver->device = device;
	driver->memory = (struct guest_memory){driver->ram, DRIVER_RAM, 40};
	driver->next = DRIVER_FREE;
	device->memory = &driver->memory;
	device->transport = (struct virtio_transport){driver, queue_interrupt, config_interrupt};
	virtio_reset(device);
	virtio_set_status(device, VIRTIO_ACKNOWLEDGE);
	virtio_set_status(device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	for (unsigned i = 0; i < 2; i++)
		virtio_accept(
			device, i, virtio_offered(device, i) & (uint32_t)(features >> 32 * i));
	virtio_set_status(device, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
}

void driver_ok(struct driver *driver) {
	virtio_set_status(driver->device, driver->device->status | VIRTIO_DRIVER_OK);
}

uint64_t driver_allocate(struct driver *driver, uint64_t bytes, uint64_t alignment) {
	uint64_t address = (driver->next + alignment - 1) / alignment * alignment;

	driver->next = address + bytes;
	return driver->next <= DRIVER_RAM ? address : 0;
}

void *driver_at(struct driver *driver, uint64_t address) { return driver->ram + address; }

struct driver_queue *driver_open(struct driver *driver, unsigned number, unsigned size) {
	struct driver_queue *queue = &driver->queues[number];

	*queue = (struct driver_queue){
		.driver = driver,
		.queue = virtio_queue(driver->device, number),
		.number = number,
		.size = size,
		.packed = virtio_has(driver->device, VIRTIO_F_RING_PACKED),
		.event_index = virtio_has(driver->device, VIRTIO_F_EVENT_IDX),
		.indirect = virtio_has(driver->device, VIRTIO_F_INDIRECT_DESC),
		.available_wrap = true,
		.used_wrap = true,
		.free = size,
	};
	queue->areas[0] = driver_allocate(driver, 16 * size, 16);
	queue->areas[1] = driver_allocate(driver, 6 + 2 * size, 4);
	queue->areas[2] = driver_allocate(driver, 6 + 8 * size, 4);
	queue->tables = driver_allocate(driver, (uint64_t)size * DRIVER_CHAIN * 16, 16);
	virtqueue_set_size(queue->queue, (uint16_t)size);
	for (unsigned i = 0; i < VIRTQUEUE_AREAS; i++)
		virtqueue_set_address(queue->queue, (enum virtqueue_area)i, queue->areas[i]);
	virtqueue_enable(queue->queue);
	return queue;
}

static uint8_t *area(struct driver_queue *queue, unsigned number) {
	return queue->driver->ram + queue->areas[number];
}

static unsigned take_id(struct driver_queue *queue) {
	unsigned id = 0;

	while (queue->busy[id])
		id++;
	queue->busy[id] = true;
	return id;
}

static unsigned flags_of(unsigned place, unsigned count, unsigned readable) {
	return (place + 1 < count ? VIRTQ_NEXT : 0) | (place >= readable ? VIRTQ_WRITE : 0);
}

// A table of either format.
static struct driver_buffer make_table(struct driver_queue *queue, unsigned id,
	const struct driver_buffer *buffers, unsigned readable, unsigned count) {
	uint64_t address = queue->tables + (uint64_t)id * DRIVER_CHAIN * 16;
	uint8_t *place = queue->driver->ram + address;

	for (unsigned i = 0; i < count; i++, place += 16) {
		const struct driver_buffer *buffer = &buffers[i];
		uint16_t flags = (uint16_t)flags_of(i, count, readable);

		if (queue->packed)
			*(struct virtq_packed_descriptor *)place = (struct virtq_packed_descriptor){
				buffer->address, buffer->length, 0, flags & VIRTQ_WRITE};
		else
			*(struct virtq_split_descriptor *)place = (struct virtq_split_descriptor){
				buffer->address, buffer->length, flags, (uint16_t)(i + 1)};
	}
	return (struct driver_buffer){address, count * 16};
}

static unsigned write_split(struct driver_queue *queue, const struct driver_buffer *buffers,
	unsigned readable, unsigned count, unsigned head) {
	struct virtq_split_descriptor *table = (void *)area(queue, VIRTQUEUE_DESCRIPTORS);
	unsigned id = head;

	for (unsigned i = 0; i < count; i++) {
		unsigned next = i + 1 < count ? take_id(queue) : 0;

		table[id] = (struct virtq_split_descriptor){buffers[i].address, buffers[i].length,
			(uint16_t)flags_of(i, count, readable), (uint16_t)next};
		id = next;
	}
	return head;
}

static void add_split(struct driver_queue *queue, unsigned head) {
	uint16_t *ring = (uint16_t *)area(queue, VIRTQUEUE_DRIVER);

	ring[2 + queue->added % queue->size] = (uint16_t)head;
	queue->added++;
	__atomic_store_n(&ring[1], queue->added, __ATOMIC_RELEASE);
}

static void write_packed(struct driver_queue *queue, const struct driver_buffer *buffers,
	unsigned readable, unsigned count, unsigned id, unsigned extra) {
	struct virtq_packed_descriptor *table = (void *)area(queue, VIRTQUEUE_DESCRIPTORS);
	struct virtq_packed_descriptor *first = &table[queue->available];
	uint16_t first_flags = 0;

	for (unsigned i = 0; i < count; i++) {
		uint16_t flags = (uint16_t)(flags_of(i, count, readable) | extra |
			(queue->available_wrap ? VIRTQ_AVAIL : VIRTQ_USED));

		table[queue->available] = (struct virtq_packed_descriptor){buffers[i].address,
			buffers[i].length, (uint16_t)id, i == 0 ? first->flags : flags};
		if (i == 0) first_flags = flags;
		if (++queue->available == queue->size) {
			queue->available = 0;
			queue->available_wrap = !queue->available_wrap;
		}
	}
	// The whole chain becomes available at once.
	__atomic_store_n(&first->flags, first_flags, __ATOMIC_RELEASE);
}

bool driver_add(struct driver_queue *queue, const struct driver_buffer *buffers, unsigned readable,
	unsigned writable, uint64_t cookie) {
	unsigned count = readable + writable;
	bool table = queue->indirect && count > 1;
	struct driver_buffer whole;
	unsigned id;

	if ((table ? 1 : count) > queue->free) return false;
	id = take_id(queue);
	queue->cookies[id] = cookie;
	queue->places[id] = (uint8_t)(table ? 1 : count);
	queue->free -= queue->places[id];
	queue->unnotified += queue->packed ? queue->places[id] : 1;
	if (table) {
		whole = make_table(queue, id, buffers, readable, count);
		buffers = &whole;
		readable = 1;
		count = 1;
	}
	if (queue->packed) {
		write_packed(queue, buffers, readable, count, id, table ? VIRTQ_INDIRECT : 0);
		return true;
	}
	write_split(queue, buffers, readable, count, id);
	if (table)
		((struct virtq_split_descriptor *)area(queue, VIRTQUEUE_DESCRIPTORS))[id].flags =
			VIRTQ_INDIRECT;
	add_split(queue, id);
	return true;
}

static bool event_due(uint16_t asked, uint16_t now, uint16_t before) {
	return (uint16_t)(now - asked - 1) < (uint16_t)(now - before);
}

static bool wanted_split(struct driver_queue *queue) {
	uint8_t *used = area(queue, VIRTQUEUE_DEVICE);
	uint16_t asked;

	if (!queue->event_index) return !(*(uint16_t *)used & VIRTQ_NO_EVENT);
	memcpy(&asked, used + 4 + 8 * queue->size, sizeof(asked));
	return event_due(asked, queue->added, (uint16_t)(queue->added - queue->unnotified));
}

static bool wanted_packed(struct driver_queue *queue) {
	struct virtq_packed_event event;
	uint16_t asked;

	memcpy(&event, area(queue, VIRTQUEUE_DEVICE), sizeof(event));
	if (event.flags != VIRTQ_EVENT_AT_PLACE) return event.flags == VIRTQ_EVENT_ENABLE;
	asked = event.place & 0x7fff;
	if (event.place >> 15 != queue->available_wrap) asked -= (uint16_t)queue->size;
	return event_due(asked, queue->available, (uint16_t)(queue->available - queue->unnotified));
}

bool driver_kick(struct driver_queue *queue) {
	bool wanted = queue->unnotified > 0 &&
		(queue->packed ? wanted_packed(queue) : wanted_split(queue));

	queue->unnotified = 0;
	if (wanted) virtio_notify(queue->driver->device, queue->number);
	return wanted;
}

static void release(struct driver_queue *queue, unsigned id) {
	struct virtq_split_descriptor *table = (void *)area(queue, VIRTQUEUE_DESCRIPTORS);

	queue->free += queue->places[id];
	while (!queue->packed && (table[id].flags & VIRTQ_NEXT)) {
		queue->busy[id] = false;
		id = table[id].next;
	}
	queue->busy[id] = false;
}

static bool reap_split(struct driver_queue *queue, unsigned *id, uint32_t *written) {
	uint8_t *used = area(queue, VIRTQUEUE_DEVICE);
	struct virtq_used_entry entry;

	if (((uint16_t *)used)[1] == queue->seen) return false;
	memcpy(&entry, used + 4 + 8 * (queue->seen % queue->size), sizeof(entry));
	queue->seen++;
	*id = entry.id;
	*written = entry.length;
	return true;
}

static bool reap_packed(struct driver_queue *queue, unsigned *id, uint32_t *written) {
	struct virtq_packed_descriptor *table = (void *)area(queue, VIRTQUEUE_DESCRIPTORS);
	const struct virtq_packed_descriptor *entry = &table[queue->used];
	uint16_t mine = queue->used_wrap ? VIRTQ_AVAIL | VIRTQ_USED : 0;

	if ((entry->flags & (VIRTQ_AVAIL | VIRTQ_USED)) != mine) return false;
	*id = entry->id;
	*written = entry->length;
	queue->used += queue->places[entry->id % 256];
	if (queue->used >= queue->size) {
		queue->used -= (uint16_t)queue->size;
		queue->used_wrap = !queue->used_wrap;
	}
	return true;
}

bool driver_reap(struct driver_queue *queue, uint64_t *cookie, uint32_t *written) {
	unsigned id;

	if (!(queue->packed ? reap_packed : reap_split)(queue, &id, written)) return false;
	if (id >= 256 || !queue->busy[id]) return false;
	*cookie = queue->cookies[id];
	release(queue, id);
	return true;
}

static void write_event(struct driver_queue *queue, uint16_t flags) {
	struct virtq_packed_event *event = (void *)area(queue, VIRTQUEUE_DRIVER);

	event->place = (uint16_t)(queue->used | queue->used_wrap << 15);
	event->flags = flags;
}

void driver_ask(struct driver_queue *queue) {
	uint16_t *ring = (uint16_t *)area(queue, VIRTQUEUE_DRIVER);

	if (queue->packed)
		write_event(queue, queue->event_index ? VIRTQ_EVENT_AT_PLACE : VIRTQ_EVENT_ENABLE);
	else if (queue->event_index)
		ring[2 + queue->size] = queue->seen;
	else
		ring[0] = 0;
}

void driver_refuse(struct driver_queue *queue) {
	uint16_t *ring = (uint16_t *)area(queue, VIRTQUEUE_DRIVER);

	if (queue->packed)
		write_event(queue, VIRTQ_EVENT_DISABLE);
	else if (!queue->event_index)
		ring[0] = VIRTQ_NO_EVENT;
}
