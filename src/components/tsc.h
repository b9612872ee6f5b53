// SPDX-License-Identifier: BSD-2-Clause
// The time stamp counter and its rate as bootinfo tells it.
#pragma once

#include <stdint.h>

static inline uint64_t tsc_read(void) {
	uint32_t low;
	uint32_t high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

// A region prefilled with the bootinfo chunk x86_tsc_freq: 16 bytes of header, then MHz. The chunk
// is absent when the length in the header is 0; returns 0 then.
static inline uint64_t tsc_ticks_per_microsecond(uint64_t chunk_vaddr) {
	const uint64_t *header = (const uint64_t *)chunk_vaddr;

	return header[1] == 0 ? 0 : *(const uint32_t *)(chunk_vaddr + 16);
}
