// SPDX-License-Identifier: BSD-2-Clause
// Host tests: the physical window is a buffer of the test.
#pragma once

#include <base/bits.h>
#include <stddef.h>

extern unsigned char test_memory[];

#define PHYSICAL_WINDOW ((uint64_t)test_memory)

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
	return physical((uint64_t)pointer);
}
