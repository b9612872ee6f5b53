// SPDX-License-Identifier: BSD-2-Clause
// Patterns in memory. Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Each word gets a value of its own, so that two places which are one are noticed.
void pattern_write(volatile uint64_t *words, size_t count, uint64_t seed);

// The index of the first word that differs, or count.
size_t pattern_compare(const volatile uint64_t *words, size_t count, uint64_t seed);
