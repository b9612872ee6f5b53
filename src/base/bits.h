// SPDX-License-Identifier: BSD-2-Clause
// Powers of two, masks, alignment and overflow-checked ranges; pure.
#pragma once

#include <base/compiler.h>

#define BIT(position) (1ul << (position))

// The low `count` bits set; count 0..64.
static inline uint64_t bits_mask(unsigned count) { return count >= 64 ? ~0ul : (1ul << count) - 1; }

// Position of the lowest and highest set bit; value is not 0.
static inline unsigned bits_lowest(uint64_t value) { return (unsigned)__builtin_ctzl(value); }

static inline unsigned bits_highest(uint64_t value) { return 63 - (unsigned)__builtin_clzl(value); }

// `alignment` is a power of two.
static inline uint64_t align_down(uint64_t value, uint64_t alignment) { return value & -alignment; }

// The caller knows that value + alignment - 1 does not overflow.
static inline uint64_t align_up(uint64_t value, uint64_t alignment) {
	return align_down(value + alignment - 1, alignment);
}

static inline bool is_aligned(uint64_t value, uint64_t alignment) { return value % alignment == 0; }

// A little-endian number of `size` bytes, 8 at most, at any offset in a byte string.
static inline uint64_t bytes_number(const uint8_t *bytes, unsigned offset, unsigned size) {
	uint64_t value = 0;

	__builtin_memcpy(&value, bytes + offset, size);
	return value;
}

struct range {
	uint64_t start;
	uint64_t end; // exclusive
};

// Whether [start, start + size) lies inside [0, limit), without overflow.
static inline bool range_fits(uint64_t start, uint64_t size, uint64_t limit) {
	return size <= limit && start <= limit - size;
}
