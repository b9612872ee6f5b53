// SPDX-License-Identifier: BSD-2-Clause
// What a measurement may use: the time stamp counter inline, and a place for samples. Each file
// answers one question and has a table of rows; a row's function takes all samples of one figure.
#pragma once

#include <stdarg.h>
#include <stdint.h>
#include <base/compiler.h>
#include <sel4/sel4.h>
#include <world.h>

enum {
	WARM_UP = 16, // first samples of a row, not kept
	SAMPLES = 1000,
	ROUNDS = WARM_UP + SAMPLES,
	ROUNDS_TIMED = WARM_UP + 200, // where each round waits for a device
};

struct row {
	const char *name;
	const char *unit;
	void (*measure)(const struct row *row);
	uint64_t setting; // for rows that share a function
};

struct row_file {
	const struct row *rows;
	size_t count;
};

#define ROW_FILE(title) const struct row_file row_file_##title = {rows, array_count(rows)}

// When the operation that is being measured began. By the thread that begins it.
extern volatile uint64_t begun_at;

__attribute__((always_inline)) static inline uint64_t ticks(void) {
	uint32_t low;
	uint32_t high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

void sample_add(uint64_t value);
void samples_print(const struct row *row);

// Puts a helper into an address space of its own that shows this program at the same addresses.
void helper_move(struct helper *helper);
// Runs all helpers until they are blocked, then takes this one's time away: from now on it runs on
// the time of its callers.
void helper_become_passive(struct helper *helper);

// COM1 through I/O ports: the release kernel has no console for us.
void output_start(void);
[[gnu::format(printf, 1, 2)]] void output(const char *format, ...);
[[gnu::format(printf, 1, 0)]] void output_list(const char *format, va_list arguments);
