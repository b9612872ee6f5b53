// SPDX-License-Identifier: BSD-2-Clause
// A virtio device on PCI as its driver sees it: registers and capabilities, which a test can make
// lie. What the device does with its queues is the test's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pci/pci.h>
#include <virtio/pci.h>

enum {
	FAKE_SIZE = 0x4000, // of the BAR
	FAKE_COMMON = 0x0,
	FAKE_ISR = 0x1000,
	FAKE_CONFIG = 0x2000,
	FAKE_NOTIFY = 0x3000,
	FAKE_MULTIPLIER = 4,
	FAKE_NOTIFY_OFF = 3, // of queue 0; the others follow
	FAKE_BAR = 4,
	FAKE_QUEUES = 3,
};

// The common structure and a capability, as they are laid out.
struct fake_queue {
	uint16_t size, vector, enable, notify_off;
	uint32_t descriptors[2], driver[2], device[2];
};

struct fake_common {
	uint32_t device_feature_select, device_feature;
	uint32_t driver_feature_select, driver_feature;
	uint16_t config_vector;
	uint16_t queue_count;
	uint8_t status;
	uint8_t config_generation;
	uint16_t queue_select;
	struct fake_queue queue; // the one selected
};

struct fake_capability {
	uint8_t kind, next, size, structure;
	uint8_t bar;
	uint8_t padding[3];
	uint32_t offset, length;
	uint32_t multiplier;
};

struct virtio_fake {
	// What the test sets.
	uint64_t features;
	bool no_reset; // the status never becomes 0
	bool refuses_features;
	bool unsteady; // the configuration changes all the time
	uint16_t queue_size; // the largest
	const void *config;
	size_t config_size;
	void (*notified)(unsigned queue);
	uint8_t *(*memory_at)(uint64_t paddr, uint32_t bytes);
	// What it sees.
	struct fake_common common;
	struct fake_queue queues[FAKE_QUEUES];
	uint16_t seen[FAKE_QUEUES]; // chains
	uint16_t returned[FAKE_QUEUES]; // entries
	uint64_t accepted; // features
	uint32_t isr;
};

extern struct virtio_fake fake;
extern uint8_t fake_function[PCI_SPACE]; // configuration registers

// A device that keeps the rules, with all structures in its BAR.
void fake_begin(const struct virtio_fake *settings);

[[nodiscard]] uint32_t fake_read_function(unsigned offset, unsigned width);

// The descriptor of the next chain that the driver gives; false when there is none.
[[nodiscard]] bool fake_next(unsigned queue, uint16_t *head);
[[nodiscard]] const struct virtq_split_descriptor *fake_table(unsigned queue);
// Returns a chain, or says so; adds `extra` to the index beyond that.
void fake_return(unsigned queue, uint32_t id, uint32_t length, uint16_t extra);
