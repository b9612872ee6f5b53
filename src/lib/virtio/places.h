// SPDX-License-Identifier: BSD-2-Clause
// Where the registers of a virtio device on PCI are (virtio 1.2, 4.1.4). Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Offsets in the BAR.
struct virtio_places {
	unsigned bar;
	uint64_t common;
	uint64_t notify;
	uint32_t notify_length;
	uint32_t notify_multiplier;
	uint64_t isr;
	uint64_t config; // of the device's type
	uint32_t config_length;
};

// Whether the function whose registers `read` has is a virtio device of that type (enum virtio_id).
[[nodiscard]] bool virtio_is_of_type(
	uint32_t (*read)(unsigned offset, unsigned width), unsigned type);

// Reads the function's capabilities by `read`. False when a structure is missing, is too small, is
// not in the BAR of the others, or ends behind `size`, the bytes that the description maps.
[[nodiscard]] bool virtio_places_find(uint32_t (*read)(unsigned offset, unsigned width),
	uint64_t size, struct virtio_places *places);
