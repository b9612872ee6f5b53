// SPDX-License-Identifier: BSD-2-Clause
// Patterns of the memory's self-test, in memory that is right and in memory with faults.
#include "test.h"

#include <root/selftest/pattern.h>

enum { WORDS = 4096, BITS = 64 };

static uint64_t words[WORDS];

static void right(void) {
	for (uint64_t seed = 0; seed < 4; seed++) {
		pattern_write(words, WORDS, seed - 2);
		check(pattern_compare(words, WORDS, seed - 2) == WORDS);
	}
	check(pattern_compare(words, WORDS, 0) == 0);
}

// Each bit that is stuck is seen by a pattern or by its complement.
static void stuck(void) {
	for (unsigned bit = 0; bit < BITS; bit++) {
		size_t seen = 0;

		for (unsigned pass = 0; pass < 2; pass++) {
			pattern_write(words, WORDS, pass ? ~0ul : 0);
			words[WORDS / 2] |= 1ul << bit;
			seen += pattern_compare(words, WORDS, pass ? ~0ul : 0) == WORDS / 2;
		}
		check(seen == 1);
	}
}

// An address line that does not work: two places are one.
static void same_place(void) {
	for (unsigned line = 0; 1u << line < WORDS; line++) {
		pattern_write(words, WORDS, 7);
		for (size_t i = 0; i < WORDS; i++) {
			if (i >> line & 1) words[i & ~((size_t)1 << line)] = words[i];
		}
		check(pattern_compare(words, WORDS, 7) == 0);
	}
}

static const struct test rows[] = {
	{"user/pattern/right", "memory that keeps a pattern passes", right},
	{"user/pattern/stuck", "a bit that is stuck is found, with its place", stuck},
	{"user/pattern/same-place", "two addresses of one place are found", same_place},
};

const struct tests pattern_tests = {rows, array_count(rows)};
