// SPDX-License-Identifier: BSD-2-Clause
// The checksum of GPT (UEFI 2.10, 5.3.1: CRC-32 of ISO 3309).
#pragma once

#include <stddef.h>
#include <stdint.h>

// Continues the checksum of what came before; 0 at first.
[[nodiscard]] static inline uint32_t crc32(uint32_t before, const uint8_t *bytes, size_t count) {
	const uint32_t polynomial = 0xedb88320;
	uint32_t crc = ~before;

	for (size_t i = 0; i < count; i++) {
		crc ^= bytes[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
	}
	return ~crc;
}
