// SPDX-License-Identifier: BSD-2-Clause
// Random numbers that a seed repeats. Nothing in this program but the kernel and the machine below
// it has static data: memory.h restores all of that.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct chance {
	uint64_t state; // never 0
};

void chance_seed(struct chance *chance, uint64_t seed);
uint64_t chance_word(struct chance *chance);

// 0 to bound - 1.
unsigned chance_below(struct chance *chance, unsigned bound);

// True in so many of 100 cases.
bool chance_percent(struct chance *chance, unsigned percent);

// An index into weights, each as often as its share of their sum.
unsigned chance_weighted(struct chance *chance, const uint8_t *weights, unsigned count);
