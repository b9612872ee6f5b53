// SPDX-License-Identifier: BSD-2-Clause
// Host tests: the kernel's names, but ports are the test's.
#pragma once

#include_next <cpu/registers.h>

uint32_t model_in32(uint16_t port);
void model_out32(uint16_t port, uint32_t value);

#define io_in32(port) model_in32(port)
#define io_out32(port, value) model_out32(port, value)
