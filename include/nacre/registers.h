// SPDX-License-Identifier: BSD-2-Clause
// Registers of devices in memory: an access has a width of 1, 2, 4 or 8 bytes and is made once.
#pragma once

#include <stdint.h>

static inline uint64_t register_load(uintptr_t place, unsigned width) {
	if (width == 1) return *(volatile uint8_t *)place;
	if (width == 2) return *(volatile uint16_t *)place;
	if (width == 4) return *(volatile uint32_t *)place;
	return *(volatile uint64_t *)place;
}

static inline void register_store(uintptr_t place, unsigned width, uint64_t value) {
	if (width == 1)
		*(volatile uint8_t *)place = (uint8_t)value;
	else if (width == 2)
		*(volatile uint16_t *)place = (uint16_t)value;
	else if (width == 4)
		*(volatile uint32_t *)place = (uint32_t)value;
	else
		*(volatile uint64_t *)place = value;
}
