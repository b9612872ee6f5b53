// SPDX-License-Identifier: BSD-2-Clause
// The supervisor: builds a pool of objects, lets its threads make random system calls, destroys it,
// and so on. Whatever they do, the kernel may not panic and every round must end as it began. All
// random decisions follow from the seed.
#include <abi/bootinfo.h>
#include <user/print.h>
#include <user/root/root.h>

#include "caller.h"
#include "control.h"
#include "options.h"
#include "random.h"
#include "pool.h"

enum {
	DEFAULT_SEED = 20260000,
	DEFAULT_COUNT = 2000000,
	SLICES = 100, // of a round
	SLICE_LEAST = 60000, // TSC ticks
	SLICE_RANGE = 300000,
	REPORT_STEP = 200000,
	OWN_SLICE = 10000, // microseconds: the supervisor's time outside slices
};

// How far a thread is in its script. Written by the supervisor.
static struct {
	uint64_t begun; // its count of steps when the script began
	unsigned seen; // steps counted so far
} progress[SCRIPTS];

// Written by root_main, before the first round.
static seL4_CPtr sched_control;
static seL4_Word tsc_mhz;

static void own_time_set(seL4_Word budget, seL4_Word period) {
	(void)seL4_SchedControl_ConfigureFlags(
		sched_control, seL4_CapInitThreadSC, budget, period, 0, 0, 0);
}

// Gives up a budget that is refilled after the slice; the fuzzing threads run meanwhile.
static void slice_pass(void) {
	seL4_Word slice = (SLICE_LEAST + random_below(SLICE_RANGE)) / tsc_mhz;

	own_time_set(slice / 2, slice);
	seL4_Yield();
	own_time_set(OWN_SLICE, OWN_SLICE);
}

static void thread_start(unsigned n, const struct step *step) {
	seL4_UserContext registers = {.rip = ARENA,
		.rflags = 0x202,
		.rdi = (seL4_Word)step,
		.rsi = (seL4_Word)script_of(n)};

	(void)seL4_TCB_WriteRegisters(
		pool_nth(POOL_TCB, n), 1, 0, sizeof(registers) / sizeof(seL4_Word), &registers);
}

static void script_begin(unsigned n) {
	struct script *script = script_of(n);

	script_make(n);
	progress[n].begun = script->executed;
	progress[n].seen = 0;
	thread_start(n, script->steps);
}

// System calls of a script since the last count. A thread may have overwritten its counter: then
// it begins anew.
static uint64_t calls_count(unsigned n) {
	const struct script *script = script_of(n);
	uint64_t executed = script->executed - progress[n].begun;
	uint64_t calls = 0;

	if (executed > SCRIPT_STEPS) executed = SCRIPT_STEPS;
	for (; progress[n].seen < executed; progress[n].seen++) {
		if (script->steps[progress[n].seen].action == action_address(ACTION_SYSCALL))
			calls++;
	}
	return calls;
}

// A thread that faulted, blocked or finished continues after the step it did last.
static void thread_continue(unsigned n) {
	if (progress[n].seen == SCRIPT_STEPS)
		script_begin(n);
	else
		thread_start(n, &script_of(n)->steps[progress[n].seen]);
}

// The even steps of a server receive (caller.c): it starts with one.
static void server_start(unsigned n) {
	unsigned step = (progress[n].seen + 1) & ~1u;

	if (step >= SCRIPT_STEPS) {
		script_begin(n);
		return;
	}
	progress[n].begun -= step - progress[n].seen;
	progress[n].seen = step;
	thread_start(n, &script_of(n)->steps[step]);
}

// A server that waits loses its time, to run on that of its callers; to be started it needs some.
static void servers_update(void) {
	for (unsigned n = FIRST_SERVER; n < SCRIPTS; n++) {
		seL4_CPtr context = pool_nth(POOL_SCHED_CONTEXT, n);

		if (random_once_in(3)) {
			(void)seL4_SchedContext_Bind(context, pool_nth(POOL_TCB, n));
			server_start(n);
		} else {
			(void)seL4_SchedContext_Unbind(context);
		}
	}
}

static uint64_t slice_run(void) {
	uint64_t calls = 0;

	arena_reset();
	slice_pass();
	for (unsigned n = 0; n < SCRIPTS; n++)
		calls += calls_count(n);
	control_disturb();
	servers_update();
	for (unsigned n = 0; n < FIRST_SERVER; n++) {
		if (random_below(4)) thread_continue(n);
	}
	return calls;
}

static uint64_t round_run(const char **problem) {
	uint64_t calls = 0;

	*problem = pool_make();
	for (unsigned n = 0; n < SCRIPTS && !*problem; n++)
		script_begin(n);
	for (unsigned slice = 0; slice < SLICES && !*problem; slice++)
		calls += slice_run();
	if (!*problem) *problem = pool_clear();
	if (!*problem && calls == 0) *problem = "running any thread";
	return calls;
}

static const char *run(const struct options *options, uint64_t *calls) {
	const char *problem = NULL;
	uint64_t reported = 0;
	unsigned rounds = 0;

	while (*calls < options->count && !problem) {
		*calls += round_run(&problem);
		rounds++;
		if (*calls / REPORT_STEP == reported) continue;
		reported = *calls / REPORT_STEP;
		print("fuzz: %lu system calls in %u rounds\n", *calls, rounds);
	}
	return problem;
}

void root_main(const seL4_BootInfo *bootinfo) {
	struct options options = {.seed = DEFAULT_SEED, .count = DEFAULT_COUNT};
	const char *problem = NULL;
	uint64_t calls = 0;

	sched_control = bootinfo->schedcontrol.start;
	tsc_mhz = *(const uint32_t *)(bootinfo_find(bootinfo, BOOTINFO_TSC_FREQUENCY) + 1);
	options_read(bootinfo, &options);
	print("fuzz: seed %lu, %lu system calls wanted, cores: %lu\n", options.seed, options.count,
		bootinfo->numNodes);
	random_seed(options.seed);
	if (!pool_init(bootinfo) || !arena_make())
		problem = "setting up";
	else
		problem = run(&options, &calls);
	if (problem)
		print("\nfuzz: seed %lu, FAILED after %lu system calls: %s\n", options.seed, calls,
			problem);
	else
		print("\nfuzz: seed %lu, %lu system calls, panics 0\n", options.seed, calls);
	machine_exit(problem ? 1 : 0);
}
