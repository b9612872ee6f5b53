// SPDX-License-Identifier: BSD-2-Clause
// The samples of the running row, and the line of JSON that sums them up.
#include <cpuid.h>
#include "bench.h"

enum { BRAND_FIRST = 0x80000002, BRAND_LEAVES = 3, PERCENT = 100, HIGH_PERCENT = 99 };

volatile uint64_t begun_at;

// By the one thread that records in a row, then by the main thread.
static unsigned offered;
static uint64_t values[SAMPLES];

// By the main thread.
static unsigned warm_up = WARM_UP;
static const char *skipped;

void sample_add(uint64_t value) {
	unsigned index = offered++ - warm_up;

	// Also false below warm_up, where the index wraps.
	if (index < SAMPLES)
		values[index] = value > counter.overhead ? value - counter.overhead : 0;
}

void row_skip(const char *why) { skipped = why; }

void samples_keep_first(void) { warm_up = 0; }

static unsigned samples_count(void) {
	if (offered <= warm_up) return 0;
	return offered - warm_up < SAMPLES ? offered - warm_up : SAMPLES;
}

static void samples_sort(unsigned count) {
	for (unsigned next = 1; next < count; next++) {
		uint64_t value = values[next];
		unsigned place = next;

		for (; place > 0 && values[place - 1] > value; place--)
			values[place] = values[place - 1];
		values[place] = value;
	}
}

static void brand_read(char *text) {
	uint32_t *words = (uint32_t *)text;

	for (unsigned leaf = 0; leaf < BRAND_LEAVES; leaf++, words += 4)
		__cpuid(BRAND_FIRST + leaf, words[0], words[1], words[2], words[3]);
	text[BRAND_LEAVES * 16] = '\0';
}

static void samples_forget(void) {
	offered = 0;
	warm_up = WARM_UP;
	skipped = NULL;
}

void samples_print(const struct row *row) {
	_Alignas(4) char brand[BRAND_LEAVES * 16 + 1];
	unsigned count = samples_count();

	if (count == 0) test_fail(HERE, "%s took no sample", row->name);
	samples_sort(count);
	brand_read(brand);
	output("{\"name\": \"%s\", \"unit\": \"%s\", \"min\": %lu, \"median\": %lu, ", row->name,
		counter.unit, values[0], values[count / 2]);
	output("\"p99\": %lu, \"max\": %lu, \"n\": %u, \"machine\": \"%s\"}\n",
		values[count * HIGH_PERCENT / PERCENT], values[count - 1], count, brand);
	samples_forget();
}

_Bool row_is_skipped(const struct row *row) {
	if (!skipped) return 0;
	output("bench skips %s: %s\n", row->name, skipped);
	samples_forget();
	return 1;
}
