// SPDX-License-Identifier: BSD-2-Clause
// Copy, fill and compare against the C library, under names of their own (see meson.build).
#include "test.h"
#include "tested_memory.h"

#include <stdint.h>
#include <string.h>

enum {
	BUFFER = 96,
};

static void fill_pattern(uint8_t *bytes) {
	for (int i = 0; i < BUFFER; i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
}

static void moves(void) {
	uint8_t ours[BUFFER];
	uint8_t theirs[BUFFER];

	for (size_t size = 0; size <= 40; size++) {
		for (size_t from = 0; from < 20; from++) {
			fill_pattern(ours);
			fill_pattern(theirs);
			check(tested_memmove(ours + 10, ours + from, size) == ours + 10);
			memmove(theirs + 10, theirs + from, size);
			check(memcmp(ours, theirs, BUFFER) == 0);
		}
	}
}

static void copies_and_fills(void) {
	uint8_t source[BUFFER];
	uint8_t target[BUFFER];

	fill_pattern(source);
	for (size_t size = 0; size <= 40; size++) {
		tested_memset(target, 0x1a5, BUFFER);
		check(tested_memcpy(target + 1, source + 3, size) == target + 1);
		check(target[0] == 0xa5 && target[size + 1] == 0xa5);
		check(memcmp(target + 1, source + 3, size) == 0);
	}
}

static void comparisons(void) {
	check(tested_memcmp("abc", "abd", 3) < 0);
	check(tested_memcmp("abd", "abc", 3) > 0);
	check(tested_memcmp("abc", "abd", 2) == 0);
	check(tested_memcmp("\x80", "\x01", 1) > 0);
}

static const struct test rows[] = {
	{"user/memory/move", "overlapping moves of all distances are right", moves},
	{"user/memory/copy", "copies and fills touch exactly their bytes", copies_and_fills},
	{"user/memory/compare", "comparison is by unsigned bytes", comparisons},
};

const struct tests memory_tests = {rows, array_count(rows)};
