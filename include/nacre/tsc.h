// SPDX-License-Identifier: BSD-2-Clause
// The time stamp counter and its rate, as bootinfo reports it.
#pragma once

#include <abi/bootinfo.h>
#include <stdint.h>
#include <x86/instructions.h>

// A region prefilled with x86_tsc_freq: that chunk, which is absent where its length is 0, and, if
// the kernel knows it more precisely, a chunk with the exact rate.
struct __attribute__((packed)) tsc_information {
	struct bootinfo_chunk frequency;
	uint32_t megahertz;
	struct bootinfo_chunk rate;
	uint64_t hertz;
};

// The counter's ticks a second; 0 when the kernel does not know.
static inline uint64_t tsc_hertz(uint64_t chunk_vaddr) {
	const struct tsc_information *information = (const struct tsc_information *)chunk_vaddr;

	if (information->frequency.length == 0) return 0;
	if (information->rate.id == BOOTINFO_TSC_RATE) return information->hertz;
	return (uint64_t)information->megahertz * 1000000;
}
