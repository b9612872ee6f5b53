// SPDX-License-Identifier: BSD-2-Clause
// QEMU's educational device (its docs/specs/edu): a buffer of 4 KiB that only its DMA engine
// reaches.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// QEMU refuses a copy that ends with the last byte.
enum { EDU_BUFFER_SIZE = 15 << 8 };

// False if there is none.
[[nodiscard]] bool edu_open(void);

// Copy between a bus address and the device's buffer. The device does not say whether it could.
void edu_fetch(uint64_t address, uint32_t place, uint32_t size);
void edu_store(uint64_t address, uint32_t place, uint32_t size);

// Send a message of its own to this address, with the vector of its grant. False: it cannot.
[[nodiscard]] bool edu_interrupt(uint64_t address);
