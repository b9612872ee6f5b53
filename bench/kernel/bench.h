// SPDX-License-Identifier: BSD-2-Clause
// What a measurement may use: the time stamp counter inline, and memory for samples. Each file
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
	ROUNDS_FEW = WARM_UP + 200, // where a round waits for a device, or is long
	ROUNDS_LONG = WARM_UP + 20, // where a round takes over 100000 instructions
};

struct row {
	const char *name;
	void (*measure)(const struct row *row);
	uint64_t setting; // for rows that share a function
};

struct row_file {
	const struct row *rows;
	size_t count;
};

#define ROW_FILE(title) const struct row_file row_file_##title = {rows, array_count(rows)}

// When the measured operation began. Written by the thread that begins it.
extern volatile uint64_t begun_at;

// The fences keep what is measured between both reads (SDM 2B, RDTSC and RDTSCP), and lie outside:
// a count of instructions is the same with and without them.
__attribute__((always_inline)) static inline uint64_t ticks_begin(void) {
	uint32_t low;
	uint32_t high;

	asm volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

__attribute__((always_inline)) static inline uint64_t ticks_end(void) {
	uint32_t low;
	uint32_t high;

	asm volatile("rdtscp\n\tlfence" : "=a"(low), "=d"(high)::"ecx", "memory");
	return (uint64_t)high << 32 | low;
}

// What the time stamp counter counts, determined before the first row.
struct counter {
	const char *unit;
	uint64_t overhead; // of an empty measurement: subtracted from every sample
};

extern struct counter counter;
void counter_find(void);

void sample_add(uint64_t value);
// The running row takes no samples: this machine lacks what it needs.
void row_skip(const char *why);
_Bool row_is_skipped(const struct row *row); // and prints the reason
// The first samples count too: for a row with few and very long rounds.
void samples_keep_first(void);
void samples_print(const struct row *row);

// An untyped of at least 2^size_bits bytes from the boot information, not that of the arena; or
// NULL_CAP.
uint64_t untyped_find(uint64_t size_bits, _Bool is_device);

// Puts a helper into an address space of its own that shows this program at the same addresses.
void helper_move(struct helper *helper);
// Runs all helpers until they are blocked, then unbinds this one's scheduling context: from now on
// it runs on the time of its callers.
void helper_become_passive(struct helper *helper);

// COM1 through I/O ports: the release kernel has no debug console.
void output_start(void);
[[gnu::format(printf, 1, 2)]] void output(const char *format, ...);
[[gnu::format(printf, 1, 0)]] void output_list(const char *format, va_list arguments);
