// SPDX-License-Identifier: BSD-2-Clause
// How a driver reaches the registers of its virtio device: one BAR, which the description maps.
// open.c has the functions, tests have their own.
#pragma once

#include <stdint.h>

// Offsets count from the start of the BAR; width is 1, 2 or 4.
[[nodiscard]] uint32_t virtio_read(uint64_t offset, unsigned width);
void virtio_write(uint64_t offset, unsigned width, uint32_t value);
