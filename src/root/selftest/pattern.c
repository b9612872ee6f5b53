// SPDX-License-Identifier: BSD-2-Clause
// A word is its number times an odd constant, by which all bits of a word change, and the seed.
#include <root/selftest/pattern.h>

#define STEP 0x9e3779b97f4a7c15ul // 2^64 divided by the golden ratio

static uint64_t word_of(size_t index, uint64_t seed) { return (index * STEP) ^ seed; }

void pattern_write(volatile uint64_t *words, size_t count, uint64_t seed) {
	for (size_t i = 0; i < count; i++)
		words[i] = word_of(i, seed);
}

size_t pattern_compare(const volatile uint64_t *words, size_t count, uint64_t seed) {
	size_t i = 0;

	while (i < count && words[i] == word_of(i, seed))
		i++;
	return i;
}
