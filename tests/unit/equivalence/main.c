// SPDX-License-Identifier: BSD-2-Clause
// The proof that the fast paths change nothing: random system calls of a random system, each done
// both ways. All random decisions follow from the seed.
#include "run.h"

#include "paths.h"
#include <cpu/platform.h>
#include <cpu/percpu.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SEED = 20260000,
	COUNT = 1500000,
	ROUND = 600, // operations
	STEPS_AT_MOST = 20, // as many times the steps end a round in which few threads run
	OUTSIDE_PERCENT = 35, // of all steps
};

static void round_play(struct run *run, uint64_t count) {
	uint64_t end = run->operations + ROUND < count ? run->operations + ROUND : count;
	unsigned steps = ROUND * STEPS_AT_MOST;

	round_begin(run);
	while (run->operations < end && steps--) {
		outside_pass(run);
		if (this_cpu()->current->state == THREAD_IDLE) {
			outside_revive(run);
		} else if (chance_percent(&run->chance, OUTSIDE_PERCENT)) {
			outside_step(run);
		} else {
			call_choose(run);
			compare_call(run);
		}
	}
}

static void run_start(struct run *run) {
	(void)path_take(); // of what the sanitizers do before main
	host_start();
	this_cpu()->platform->console.is_quiet = true;
	world_make(&run->world);
	run->memory = memory_of(run->world.memory, run->world.used);
	run->start = calloc(run->memory.words, sizeof(uint64_t));
	run->before = calloc(run->memory.words, sizeof(uint64_t));
	run->fast = calloc(run->memory.words, sizeof(uint64_t));
	if (!run->start || !run->before || !run->fast) abort();
	memory_save(&run->memory, run->start);
	chance_seed(&run->chance, run->seed);
}

static bool option_read(const char *name, const char *value, uint64_t *number) {
	char *end;

	if (!value || !*value) return false;
	*number = strtoul(value, &end, 10);
	if (*end) printf("equivalence: %s %s is not a number\n", name, value);
	return !*end;
}

// --seed N --count N.
static bool options_read(char **arguments, uint64_t *seed, uint64_t *count) {
	for (; *arguments; arguments += 2) {
		bool is_seed = strcmp(*arguments, "--seed") == 0;

		if (!is_seed && strcmp(*arguments, "--count") != 0) return false;
		if (!option_read(*arguments, arguments[1], is_seed ? seed : count)) return false;
	}
	return *count > 0;
}

int main(int, char **arguments) {
	struct run *run = calloc(1, sizeof(*run));
	uint64_t count = COUNT;
	bool is_good;

	if (!run) return 1;
	run->seed = SEED;
	if (!options_read(arguments + 1, &run->seed, &count)) {
		printf("usage: equivalence [--seed N] [--count N]\n");
		return 2;
	}
	run_start(run);
	while (run->operations < count)
		round_play(run, count);
	is_good = compare_report(run);
	free(run->start);
	free(run->before);
	free(run->fast);
	free(run);
	return is_good ? 0 : 1;
}
