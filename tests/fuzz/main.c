// SPDX-License-Identifier: BSD-2-Clause
// The supervisor: builds a world, lets its threads make random system calls, destroys it, and so
// on. Whatever they do, the kernel may not panic and every round must end as it began. All that
// chance decides follows from the seed.
#include <abi/bootinfo.h>
#include <user/print.h>
#include <user/root/root.h>

#include "caller.h"
#include "control.h"
#include "options.h"
#include "random.h"
#include "stock.h"

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
} progress[SEATS];

// Written by root_main, before the first round.
static seL4_CPtr sched_control;
static seL4_Word tsc_mhz;

static void own_time_set(seL4_Word budget, seL4_Word period) {
	(void)seL4_SchedControl_ConfigureFlags(
		sched_control, seL4_CapInitThreadSC, budget, period, 0, 0, 0);
}

// Gives up a budget that comes back after the slice; the fuzzing threads run meanwhile.
static void slice_pass(void) {
	seL4_Word slice = (SLICE_LEAST + random_below(SLICE_RANGE)) / tsc_mhz;

	own_time_set(slice / 2, slice);
	seL4_Yield();
	own_time_set(OWN_SLICE, OWN_SLICE);
}

static void thread_start(unsigned n, const struct step *step) {
	seL4_UserContext registers = {.rip = PLAYGROUND,
		.rflags = 0x202,
		.rdi = (seL4_Word)step,
		.rsi = (seL4_Word)seat_of(n)};

	(void)seL4_TCB_WriteRegisters(
		stock_nth(STOCK_TCB, n), 1, 0, sizeof(registers) / sizeof(seL4_Word), &registers);
}

static void script_begin(unsigned n) {
	struct seat *seat = seat_of(n);

	script_make(n);
	progress[n].begun = seat->played;
	progress[n].seen = 0;
	thread_start(n, seat->steps);
}

// System calls of a seat since the last look. A thread may have written nonsense to its count: then
// it begins anew.
static uint64_t calls_count(unsigned n) {
	const struct seat *seat = seat_of(n);
	uint64_t played = seat->played - progress[n].begun;
	uint64_t calls = 0;

	if (played > SEAT_STEPS) played = SEAT_STEPS;
	for (; progress[n].seen < played; progress[n].seen++) {
		if (seat->steps[progress[n].seen].action == action_address(ACTION_SYSCALL)) calls++;
	}
	return calls;
}

// A thread that faulted, blocked or came to its end goes on behind what it did last.
static void thread_kick(unsigned n) {
	if (progress[n].seen == SEAT_STEPS)
		script_begin(n);
	else
		thread_start(n, &seat_of(n)->steps[progress[n].seen]);
}

// The even steps of a server receive (caller.c): it starts with one.
static void server_start(unsigned n) {
	unsigned step = (progress[n].seen + 1) & ~1u;

	if (step >= SEAT_STEPS) {
		script_begin(n);
		return;
	}
	progress[n].begun -= step - progress[n].seen;
	progress[n].seen = step;
	thread_start(n, &seat_of(n)->steps[step]);
}

// A server that waits loses its time, to run on that of its callers; to be started it needs some.
static void servers_care(void) {
	for (unsigned n = SEAT_FIRST_SERVER; n < SEATS; n++) {
		seL4_CPtr context = stock_nth(STOCK_SCHED_CONTEXT, n);

		if (random_once_in(3)) {
			(void)seL4_SchedContext_Bind(context, stock_nth(STOCK_TCB, n));
			server_start(n);
		} else {
			(void)seL4_SchedContext_Unbind(context);
		}
	}
}

static uint64_t slice_run(void) {
	uint64_t calls = 0;

	playground_reset();
	slice_pass();
	for (unsigned n = 0; n < SEATS; n++)
		calls += calls_count(n);
	control_meddle();
	servers_care();
	for (unsigned n = 0; n < SEAT_FIRST_SERVER; n++) {
		if (random_below(4)) thread_kick(n);
	}
	return calls;
}

static uint64_t round_run(const char **problem) {
	uint64_t calls = 0;

	*problem = stock_make();
	for (unsigned n = 0; n < SEATS && !*problem; n++)
		script_begin(n);
	for (unsigned slice = 0; slice < SLICES && !*problem; slice++)
		calls += slice_run();
	if (!*problem) *problem = stock_clear();
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
	print("fuzz: seed %lu, %lu system calls wanted\n", options.seed, options.count);
	random_seed(options.seed);
	if (!stock_init(bootinfo) || !playground_make())
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
