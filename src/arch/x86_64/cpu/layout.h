// SPDX-License-Identifier: BSD-2-Clause
// Where the kernel sees memory: the physical window and its own image.
//
//   0xffff800000000000  physical window: physical address 0 upwards, read-write, never executable
//   0xffffffff80000000  kernel image: its own physical addresses, text read-execute, data
//   read-write
#pragma once

#include <base/bits.h>

#define PAGE_SIZE 4096ul
#define MIB (1ul << 20)
#define GIB (1ul << 30)

#define PHYSICAL_WINDOW 0xffff800000000000ul
#define PHYSICAL_READ_END (1ul << 32)
#define KERNEL_IMAGE 0xffffffff80000000ul

extern const char image_start[], image_end[]; // kernel.ld: page aligned

// The only type for physical addresses: never a pointer, never a virtual address by accident.
typedef struct {
	uint64_t value;
} physical_t;

static inline physical_t physical(uint64_t value) { return (physical_t){value}; }

// Pointer into the physical window. Valid for RAM and for device registers mapped at boot.
static inline void *physical_pointer(physical_t address) {
	return (void *)(PHYSICAL_WINDOW + address.value);
}

// Memory of firmware and loader, somewhere below 4 GiB: null if the range is not there.
static inline const void *physical_read(uint64_t address, uint64_t size) {
	bool inside = address != 0 && range_fits(address, size, PHYSICAL_READ_END);

	return inside ? physical_pointer(physical(address)) : NULL;
}

// Physical address of something in the physical window (kernel objects live there).
static inline physical_t physical_of(const void *pointer) {
	return physical((uint64_t)pointer - PHYSICAL_WINDOW);
}

// Physical address of something in the kernel image (static data).
static inline physical_t physical_of_image(const void *pointer) {
	return physical((uint64_t)pointer - KERNEL_IMAGE);
}
