// SPDX-License-Identifier: BSD-2-Clause
// Host tests: physical memory is the test's.
#pragma once

#include <base/bits.h>
#include <stddef.h>

#define PHYSICAL_READ_END (1ul << 32)

typedef struct {
	uint64_t value;
} physical_t;

static inline physical_t physical(uint64_t value) { return (physical_t){value}; }

void *physical_pointer(physical_t address);
const void *physical_read(uint64_t address, uint64_t size);
