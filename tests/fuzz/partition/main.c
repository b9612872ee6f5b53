// SPDX-License-Identifier: BSD-2-Clause
// Random inputs for the fuzzer, where there is no libFuzzer: fuzz-partition [COUNT [SEED]]
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LARGEST = 4096,
	COUNT = 20000,
	// Of the input: a header's fields that make sense, so that checksums are not all that
	// fails.
	HEADER_AT = 9 + 512,
};

static uint64_t state;

static uint64_t chance(void) {
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return state >> 20;
}

static void put(uint8_t *place, uint64_t value, unsigned bytes) { memcpy(place, &value, bytes); }

static void make_header(uint8_t *header) {
	put(header + 12, 92, 4);
	put(header + 40, chance() % 64, 8);
	put(header + 48, chance() % 4096, 8);
	put(header + 72, chance() % 64, 8);
	put(header + 80, chance() % 129, 4);
	put(header + 84, 128 << chance() % 3, 4);
}

int main(int arguments, char **words) {
	static const char *const settings[] = {"\nclient 0 number=1\nclient 1 label=a\n",
		"\nclient 3 type=83\nclient 2 range=1+2\n"};
	static uint8_t bytes[LARGEST];
	uint64_t count = arguments > 1 ? strtoull(words[1], NULL, 0) : COUNT;

	state = arguments > 2 ? strtoull(words[2], NULL, 0) : 1;
	for (uint64_t i = 0; i < count; i++) {
		size_t size = HEADER_AT + 128 + chance() % (LARGEST - HEADER_AT - 128);
		const char *text = settings[chance() % 2];

		for (size_t k = 0; k < size; k += 4)
			put(bytes + k, chance() >> chance() % 32, 4);
		bytes[8] = (uint8_t)chance();
		if (chance() % 4) make_header(bytes + HEADER_AT);
		memcpy(bytes + size - strlen(text), text, strlen(text));
		(void)LLVMFuzzerTestOneInput(bytes, size);
	}
	printf("%lu inputs\n", count);
	return 0;
}
