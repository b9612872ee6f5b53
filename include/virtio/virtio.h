// SPDX-License-Identifier: BSD-2-Clause
// Numbers and layouts that every device of virtio 1.2 has; for models and drivers.
#pragma once

#include <abi/compiler.h>
#include <stdint.h>

// Device types (5).
enum virtio_id {
	VIRTIO_ID_NET = 1,
	VIRTIO_ID_BLOCK = 2,
	VIRTIO_ID_CONSOLE = 3,
	VIRTIO_ID_ENTROPY = 4,
	VIRTIO_ID_BALLOON = 5,
	VIRTIO_ID_VSOCK = 19,
};

// Bits of the device status (2.1).
enum virtio_status {
	VIRTIO_ACKNOWLEDGE = 1,
	VIRTIO_DRIVER = 2,
	VIRTIO_DRIVER_OK = 4,
	VIRTIO_FEATURES_OK = 8,
	VIRTIO_NEEDS_RESET = 64,
	VIRTIO_FAILED = 128,
};

// Features of all types (6).
#define VIRTIO_F_INDIRECT_DESC (1ull << 28)
#define VIRTIO_F_EVENT_IDX (1ull << 29)
#define VIRTIO_F_VERSION_1 (1ull << 32)
#define VIRTIO_F_ACCESS_PLATFORM (1ull << 33) // addresses are those that the IOMMU translates
#define VIRTIO_F_RING_PACKED (1ull << 34)

// Flags of a descriptor (2.7.5, 2.8.1, 2.8.5).
enum virtq_descriptor_flag {
	VIRTQ_NEXT = 1 << 0,
	VIRTQ_WRITE = 1 << 1,
	VIRTQ_INDIRECT = 1 << 2,
	VIRTQ_AVAIL = 1 << 7, // packed rings only
	VIRTQ_USED = 1 << 15,
};

// A descriptor of a split ring (2.7.5).
struct virtq_split_descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
};

// A descriptor of a packed ring (2.8.13).
struct virtq_packed_descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t id;
	uint16_t flags;
};

// The first words of a split ring's driver and device areas (2.7.6, 2.7.8). Behind the entries
// stands the index at which the other side wants an event.
struct virtq_split_area {
	uint16_t flags; // VIRTQ_NO_EVENT or 0
	uint16_t index;
};

struct virtq_used_entry {
	uint32_t id;
	uint32_t length;
};

enum {
	VIRTQ_NO_EVENT = 1,
};

// The driver and device areas of a packed ring (2.8.14).
struct virtq_packed_event {
	uint16_t place; // 15 bits of place, and the wrap counter
	uint16_t flags;
};

enum virtq_packed_event_flag {
	VIRTQ_EVENT_ENABLE = 0,
	VIRTQ_EVENT_DISABLE = 1,
	VIRTQ_EVENT_AT_PLACE = 2, // with VIRTIO_F_EVENT_IDX only
	VIRTQ_EVENT_FLAGS = 3,
};

ABI_ASSERT(sizeof(struct virtq_split_descriptor) == 16);
ABI_ASSERT(sizeof(struct virtq_packed_descriptor) == 16);
ABI_ASSERT(sizeof(struct virtq_used_entry) == 8);
ABI_ASSERT(sizeof(struct virtq_packed_event) == 4);
