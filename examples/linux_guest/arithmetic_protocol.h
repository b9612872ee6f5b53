// SPDX-License-Identifier: BSD-2-Clause
// What the example server does for its client, shared by both so that the client can check it.
#pragma once

#include <stdint.h>

enum {
	ARITHMETIC_NEXT = 1, // word 0: a number; answer: word 0 its successor, word 1 calls so far
	ARITHMETIC_OK = 0,
	ARITHMETIC_BAD_REQUEST = 1,
};

// The next number of a xorshift sequence: a result that depends on all of the input.
static inline uint64_t arithmetic_next(uint64_t value) {
	value ^= value << 13;
	value ^= value >> 7;
	value ^= value << 17;
	return value;
}
