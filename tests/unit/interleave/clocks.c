// SPDX-License-Identifier: BSD-2-Clause
#include "clocks.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	WORDS = 1 << 18, // that can be accessed
	FLAGS = 1 << 10, // that cores talk by
};

// Of a core's last reads, or writes, of a word of memory: with one clock, which bytes.
struct last {
	uint32_t clock;
	uint8_t bytes;
	const void *from;
};

struct word {
	uint64_t number; // address / 8
	struct last reads[CORES_MAX], writes[CORES_MAX];
};

struct flag {
	const void *memory;
	struct clock clock;
};

static struct clock clocks[CORES_MAX];
static unsigned core_count;
static struct word words[WORDS];
static struct flag flags[FLAGS];

static struct clock *own(void) { return &clocks[explore_core]; }

void clocks_begin(unsigned cores) {
	uint32_t latest = 0;

	core_count = cores;
	for (unsigned i = 0; i < CORES_MAX; i++)
		if (clocks[i].of[i] > latest) latest = clocks[i].of[i];
	if (latest > UINT32_MAX / 2) explore_fail("too many runs for these clocks");
	for (unsigned i = 0; i < CORES_MAX; i++) {
		for (unsigned j = 0; j < CORES_MAX; j++)
			clocks[i].of[j] = latest;
		clocks[i].of[i]++;
	}
}

void clocks_copy(struct clock *clock) { *clock = *own(); }

void clocks_advance(void) { own()->of[explore_core]++; }

static void clock_join(struct clock *clock, const struct clock *other) {
	for (unsigned i = 0; i < CORES_MAX; i++)
		if (clock->of[i] < other->of[i]) clock->of[i] = other->of[i];
}

static struct flag *flag_of(const void *memory) {
	uint64_t at = ((uint64_t)memory >> 2) * 0x9e3779b97f4a7c15ul >> 32;

	for (unsigned i = 0; i < FLAGS; i++) {
		struct flag *flag = &flags[(at + i) % FLAGS];

		if (!flag->memory) flag->memory = memory;
		if (flag->memory == memory) return flag;
	}
	abort();
}

void clocks_release(const void *memory, const struct clock *clock) {
	flag_of(memory)->clock = clock ? *clock : (struct clock){};
}

void clocks_release_too(const void *memory) { clock_join(&flag_of(memory)->clock, own()); }

void clocks_acquire(const void *memory) { clock_join(own(), &flag_of(memory)->clock); }

static struct word *word_of(uint64_t number) {
	uint64_t at = number * 0x9e3779b97f4a7c15ul >> 32;

	for (unsigned i = 0; i < WORDS; i++) {
		struct word *word = &words[(at + i) % WORDS];

		if (!word->number) word->number = number;
		if (word->number == number) return word;
	}
	abort();
}

[[gnu::noreturn]] static void race(const struct word *word, unsigned other, const struct last *last,
	bool is_write, const void *from) {
	explore_runs = false;
	printf("  race at %p: core %u %s in ", (void *)(word->number * 8), explore_core,
		is_write ? "writes" : "reads");
	explore_place(from);
	printf("  and core %u %s in ", other, last == &word->writes[other] ? "wrote" : "read");
	explore_place(last->from);
	explore_fail("nothing says which comes first");
}

static void access(struct word *word, uint8_t bytes, bool is_write, const void *from) {
	const struct clock *clock = own();
	struct last *last = is_write ? &word->writes[explore_core] : &word->reads[explore_core];
	uint32_t present = clock->of[explore_core];

	for (unsigned i = 0; i < core_count; i++) {
		if (i == explore_core) continue;
		if (word->writes[i].clock > clock->of[i] && word->writes[i].bytes & bytes)
			race(word, i, &word->writes[i], is_write, from);
		if (is_write && word->reads[i].clock > clock->of[i] && word->reads[i].bytes & bytes)
			race(word, i, &word->reads[i], is_write, from);
	}
	*last = (struct last){
		present, (uint8_t)(last->clock == present ? last->bytes | bytes : bytes), from};
}

void clocks_access(const void *memory, uint64_t size, bool is_write, const void *from) {
	uint64_t address = (uint64_t)memory, end = address + size;

	while (address < end) {
		uint64_t number = address / 8;
		uint64_t stop = (number + 1) * 8 < end ? (number + 1) * 8 : end;
		unsigned mask = (1u << (stop - number * 8)) - (1u << address % 8);

		access(word_of(number), (uint8_t)mask, is_write, from);
		address = stop;
	}
}
