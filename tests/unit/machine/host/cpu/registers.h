// SPDX-License-Identifier: BSD-2-Clause
// Host tests: instructions that touch hardware become calls of the test.
#pragma once

#include <stdint.h>

uint8_t io_in8(uint16_t port);
void io_out8(uint16_t port, uint8_t value);

static inline uint64_t cr2_read(void) { return 0; }
static inline uint64_t cr3_read(void) { return 0; }
static inline uint64_t cr4_read(void) { return 0; }
[[gnu::noreturn]] void cpu_stop(void);
