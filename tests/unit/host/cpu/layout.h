// SPDX-License-Identifier: BSD-2-Clause
// Host tests: the physical window is memory of the test process. It lies below 2^47 with room
// above, so that addresses of device memory keep their order.
#pragma once

#include <base/bits.h>
#include <stddef.h>

// The address and thread sanitizers leave different places free.
#ifndef PHYSICAL_WINDOW
#define PHYSICAL_WINDOW 0x200000000000ul
#endif
#define KERNEL_IMAGE 0ul
#define MIB (1ul << 20)

typedef struct {
	uint64_t value;
} physical_t;

static inline physical_t physical(uint64_t value) { return (physical_t){value}; }

static inline void *physical_pointer(physical_t address) {
	return (void *)(PHYSICAL_WINDOW + address.value);
}

static inline physical_t physical_of(const void *pointer) {
	return physical((uint64_t)pointer - PHYSICAL_WINDOW);
}

static inline physical_t physical_of_image(const void *pointer) {
	return physical((uint64_t)pointer - KERNEL_IMAGE);
}
