// SPDX-License-Identifier: BSD-2-Clause
// Runs the fuzzer without libFuzzer:
//   fuzz-virtio COUNT [SEED]    random inputs, so many operations of each device
//   fuzz-virtio FILE...         each line of a .txt is an input in hexadecimal; other files are one
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT = 2048, LARGEST = 1 << 20 };

static uint64_t next_chance(uint64_t *state) {
	uint64_t word = *state;

	word ^= word << 13;
	word ^= word >> 7;
	word ^= word << 17;
	*state = word;
	return word;
}

// The input at hand is in a file when a run does not end well; FUZZ_KEEP says where.
static void keep(const uint8_t *bytes, size_t size) {
	const char *name = getenv("FUZZ_KEEP");

	if (!name) return;
	FILE *file = fopen(name, "wb");
	if (!file) return;
	fwrite(bytes, 1, size, file);
	fclose(file);
}

static void run_random(unsigned device, uint64_t count, uint64_t seed) {
	static uint8_t bytes[INPUT];
	uint64_t state = seed | 1ull << 63, done = 0;

	while (done < count) {
		for (unsigned i = 0; i < INPUT; i += 8)
			memcpy(bytes + i, &(uint64_t){next_chance(&state)}, 8);
		bytes[0] = (uint8_t)device;
		keep(bytes, INPUT);
		done += fuzz_run(bytes, INPUT);
	}
	printf("ok fuzz-%s %lu random operations do no harm\n", rigs[device].name, done);
}

static void run_lines(FILE *file) {
	static char line[2 * INPUT + 2];
	uint8_t bytes[INPUT];
	unsigned inputs = 0;

	for (; fgets(line, sizeof(line), file); inputs++) {
		size_t size = 0;

		for (unsigned byte; sscanf(line + 2 * size, "%2x", &byte) == 1; size++)
			bytes[size] = (uint8_t)byte;
		(void)fuzz_run(bytes, size);
	}
	printf("ok fuzz-corpus %u inputs of the corpus do no harm\n", inputs);
}

static bool run_file(const char *name) {
	static uint8_t bytes[LARGEST];

	FILE *file = fopen(name, "rb");
	if (!file) {
		fprintf(stderr, "%s: cannot be read\n", name);
		return false;
	}
	if (strstr(name, ".txt"))
		run_lines(file);
	else
		printf("ok %s\n", (fuzz_run(bytes, fread(bytes, 1, sizeof(bytes), file)), name));
	fclose(file);
	return true;
}

int main(int count, char **arguments) {
	char *end = NULL;
	uint64_t operations = count > 1 ? strtoull(arguments[1], &end, 0) : 0;
	bool good = count > 1;

	if (end && *end != '\0') {
		for (int i = 1; i < count; i++)
			good = run_file(arguments[i]) && good;
		return !good;
	}
	for (unsigned i = 0; i < rig_count; i++)
		run_random(i, operations, count > 2 ? strtoull(arguments[2], NULL, 0) : 1);
	return !good;
}
