// SPDX-License-Identifier: BSD-2-Clause
// Random numbers that a seed repeats.
#pragma once

#include <stdbool.h>
#include <stdint.h>

void random_seed(uint64_t seed);
uint64_t random_next(void);

// 0 to bound - 1.
unsigned random_below(unsigned bound);

// True once in so many times.
bool random_once_in(unsigned times);

// Values at which programs break: 0, all ones, powers of two and their neighbours, small negative
// ones, the edges of the address space.
uint64_t random_edge(void);
