// SPDX-License-Identifier: BSD-2-Clause
// Host tests: physical memory is the test's.
#pragma once

#include_next <cpu/layout.h>

void *machine_pointer(physical_t address);
uint64_t machine_image(void);

#define physical_pointer(address) machine_pointer(address)
#undef KERNEL_IMAGE
#define KERNEL_IMAGE machine_image()
