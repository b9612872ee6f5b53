// SPDX-License-Identifier: BSD-2-Clause
// Random inputs for the fuzzer, where there is no libFuzzer: fuzz-terminal [COUNT [SEED]]
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

enum { LARGEST = 400, COUNT = 100000 };

static uint64_t state;

static uint64_t chance(void) {
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return state >> 33;
}

// Sequences more often than chance would make them.
static uint8_t byte(void) {
	static const char often[] =
		"\x1b[;?0123459hlmrHJKLMPSTXABCDEFGdn@b\r\n\b\tM78()0BD]P\\\x07";

	switch (chance() % 8) {
	case 0: return (uint8_t)chance();
	case 1:
	case 2: return 0x1b;
	case 3: return '[';
	default: return (uint8_t)often[chance() % (sizeof(often) - 1)];
	}
}

int main(int arguments, char **words) {
	static uint8_t bytes[LARGEST];
	uint64_t count = arguments > 1 ? strtoull(words[1], NULL, 0) : COUNT;

	state = arguments > 2 ? strtoull(words[2], NULL, 0) : 1;
	for (uint64_t i = 0; i < count; i++) {
		size_t size = chance() % LARGEST;

		for (size_t k = 0; k < size; k++)
			bytes[k] = byte();
		(void)LLVMFuzzerTestOneInput(bytes, size);
	}
	printf("%lu inputs\n", count);
	return 0;
}
