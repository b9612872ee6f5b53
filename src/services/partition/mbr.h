// SPDX-License-Identifier: BSD-2-Clause
// A sector with an MBR's partition table (UEFI 2.10, 5.2.1).
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	MBR_ENTRIES = 4,
	MBR_EMPTY = 0x00, // types
	MBR_PROTECTIVE = 0xee, // a GPT follows (5.2.3)
};

struct mbr_entry {
	uint8_t type;
	uint32_t first;
	uint32_t count;
};

// False when the sector has no such table.
[[nodiscard]] bool mbr_read(const uint8_t *sector, struct mbr_entry *entries);

// An extended partition: a chain of further tables.
[[nodiscard]] static inline bool mbr_is_extended(uint8_t type) {
	return type == 0x05 || type == 0x0f || type == 0x85;
}
