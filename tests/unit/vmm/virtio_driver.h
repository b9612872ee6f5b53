// SPDX-License-Identifier: BSD-2-Clause
// A guest's side of a virtio device: RAM, a transport that counts interrupts, and a driver of split
// and packed rings as virtio 1.2 wants it (2.7, 2.8).
#pragma once

#include <vmm/virtio/queue.h>

enum {
	DRIVER_RAM = 1 << 21,
	DRIVER_FREE = 1 << 16, // below, RAM is the test's
	DRIVER_QUEUES = 16,
	DRIVER_CHAIN = 160, // descriptors of a chain at most
};

struct driver_queue {
	struct driver *driver;
	struct virtqueue *queue;
	unsigned number, size;
	bool packed, event_index, indirect;
	uint64_t areas[VIRTQUEUE_AREAS];
	uint64_t tables; // for each id a table
	uint16_t added, notified, seen; // counters of split rings
	uint16_t available, used; // places of packed rings
	bool available_wrap, used_wrap;
	unsigned unnotified; // places added since the last notification
	unsigned free; // places
	bool busy[256]; // ids: of a buffer, or of a split ring's descriptors
	uint8_t places[256]; // of the buffer with that id
	uint64_t cookies[256];
};

struct driver {
	struct virtio_device *device;
	struct guest_memory memory;
	uint8_t ram[DRIVER_RAM] __attribute__((aligned(4096)));
	uint64_t next; // first free byte of RAM
	unsigned interrupts[DRIVER_QUEUES], config_interrupts;
	struct driver_queue queues[DRIVER_QUEUES];
};

struct driver_buffer {
	uint64_t address;
	uint32_t length;
};

// Connects the device, and brings it to FEATURES_OK with what it offers of these.
void driver_start(struct driver *driver, struct virtio_device *device, uint64_t features);
// Then each queue, then DRIVER_OK.
struct driver_queue *driver_open(struct driver *driver, unsigned number, unsigned size);
void driver_ok(struct driver *driver);
// Zeroed RAM.
uint64_t driver_allocate(struct driver *driver, uint64_t bytes, uint64_t alignment);
void *driver_at(struct driver *driver, uint64_t address);

// Makes a chain available, with a number that comes back. False when the ring is full.
bool driver_add(struct driver_queue *queue, const struct driver_buffer *buffers, unsigned readable,
	unsigned writable, uint64_t cookie);
// Notifies, if the device wants it.
bool driver_kick(struct driver_queue *queue);
// The next used chain.
bool driver_reap(struct driver_queue *queue, uint64_t *cookie, uint32_t *written);
// Asks for an interrupt with the next used chain, or for none.
void driver_ask(struct driver_queue *queue);
void driver_refuse(struct driver_queue *queue);
