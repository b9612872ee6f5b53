// SPDX-License-Identifier: BSD-2-Clause
// The kernel on several cores that run at once, under the thread sanitizer: two of them may touch
// the same memory only where the kernel says which comes first. Rounds end with a moment in which
// no core does anything, and the invariants are checked.
#include "system.h"

#include "../interleave/faults.h"

#include <cpu/registers.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	SEED = 20260000,
	COUNT = 1000000,
	ROUND = 1000,
	DRAINS = 3,
	WAIT_SECONDS = 60,
	TRIES = 5, // at a fault that chance may keep from showing
};

static unsigned cores = TOGETHER_CORES;
static uint64_t rounds;
static pthread_barrier_t barrier;
static uint32_t arrived;

// One report is enough.
const char *__tsan_default_options(void);

const char *__tsan_default_options(void) { return "halt_on_error=1"; }

void cpu_relax(void) { sched_yield(); }

// Until all cores are here. Those that wait serve the others.
static void meet(void) {
	uint32_t all = (__atomic_fetch_add(&arrived, 1, __ATOMIC_RELAXED) / cores + 1) * cores;

	while (__atomic_load_n(&arrived, __ATOMIC_RELAXED) < all) {
		system_serve();
		sched_yield();
	}
	while (host_is_interrupted(host_core()))
		system_serve();
}

static void round_run(struct together *self) {
	for (unsigned i = 0; i < ROUND; i++)
		system_step(self);
	for (unsigned i = 0; i < DRAINS; i++)
		meet();
}

static void *core_run(void *argument) {
	unsigned number = (unsigned)(uint64_t)argument;

	for (uint64_t i = 0; i < rounds; i++) {
		if (number == 0) system_build(cores);
		pthread_barrier_wait(&barrier);
		(void)host_use_core(host.cores[number].cpu);
		round_run(together[number]);
		pthread_barrier_wait(&barrier);
		if (number == 0) system_check(cores);
	}
	return NULL;
}

static void run(uint64_t seed) {
	pthread_t threads[TOGETHER_CORES];

	host_start();
	for (unsigned i = 0; i < cores; i++) {
		together[i] = calloc(1, sizeof(*together[i]));
		if (!together[i]) abort();
		chance_seed(&together[i]->run.chance, seed * TOGETHER_CORES + i);
	}
	pthread_barrier_init(&barrier, NULL, cores);
	for (uint64_t i = 1; i < cores; i++)
		if (pthread_create(&threads[i], NULL, core_run, (void *)i)) abort();
	core_run(NULL);
	for (unsigned i = 1; i < cores; i++)
		pthread_join(threads[i], NULL);
}

static void report(uint64_t seed) {
	struct together sum = {};

	for (unsigned i = 0; i < cores; i++) {
		sum.steps += together[i]->steps;
		sum.calls += together[i]->calls;
		sum.faults += together[i]->faults;
		sum.interrupts += together[i]->interrupts;
		sum.managed += together[i]->managed;
	}
	printf("together: seed %lu, %u cores, %lu rounds, %lu steps: %lu system calls, %lu faults, "
	       "%lu interrupts, %lu changes from outside; no report\n",
		seed, cores, rounds, sum.steps, sum.calls, sum.faults, sum.interrupts, sum.managed);
}

// The number at the place of an option; the usage if it is none.
static uint64_t number_of(const char *text) {
	char *end;
	uint64_t number = text ? strtoul(text, &end, 10) : 0;

	if (text && *text && !*end) return number;
	printf("usage: together [--seed N] [--count STEPS] [--cores 2..%u]\n",
		(unsigned)TOGETHER_CORES);
	exit(2);
}

static void run_and_report(uint64_t seed, uint64_t count) {
	rounds = (count + ROUND * cores - 1) / (ROUND * cores);
	run(seed);
	report(seed);
}

// A process for each fault: the sanitizer or an invariant ends it, or a core waits for ever.
static bool is_caught(unsigned fault, uint64_t seed, uint64_t count) {
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(0);
		planted_fault = (int)fault;
		alarm(WAIT_SECONDS);
		run_and_report(seed, count);
		_exit(0);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status != 0;
}

// Of the faults, those that have to be caught here.
static unsigned faults_run(uint64_t seed, uint64_t count) {
	unsigned missed = 0;

	for (unsigned i = 0; faults[i].name; i++) {
		bool caught = false;

		if (!strchr(faults[i].scenario, '+')) continue;
		for (unsigned try = 0; faults[i].is_there && !caught && try < TRIES; try++)
			caught = is_caught(i + 1, seed + try, count);
		missed += !caught;
		printf("%s fault-%s %s: %s\n", caught ? "ok" : "FAIL", faults[i].name,
			faults[i].sentence, caught ? "caught" : "not caught");
	}
	return missed;
}

int main(int, char **arguments) {
	uint64_t seed = SEED, count = COUNT;

	while (*++arguments) {
		const char *name = *arguments++;
		uint64_t value = number_of(*arguments);

		if (strcmp(name, "--seed") == 0) seed = value;
		if (strcmp(name, "--count") == 0) count = value;
		if (strcmp(name, "--cores") == 0) cores = (unsigned)value;
	}
	if (cores < 2 || cores > TOGETHER_CORES || !count) (void)number_of(NULL);
	if (faults->name) return faults_run(seed, count) != 0;
	run_and_report(seed, count);
	return 0;
}
