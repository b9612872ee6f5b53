// SPDX-License-Identifier: BSD-2-Clause
#include "explore.h"

#include "access.h"
#include "../host/host.h"

#include <cpu/registers.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	STACK_SIZE = 256 << 10,
	CHOICES_MAX = 4096, // of a run
	POINTS_MAX = 200000, // of a run: more mean that cores wait for each other for ever
	SWITCHES_SHOWN = 64,
};

enum core_state {
	CORE_GOES_ON,
	CORE_WAITS, // in the kernel, for what another core writes
	CORE_RESTS, // outside the kernel
};

struct coroutine {
	void *stack_pointer;
	uint8_t *stack;
	enum core_state state;
	uint64_t writes; // of all cores, when it last began to look for what it waits for
	uint64_t own_writes;
};

struct choice {
	uint8_t taken, count;
};

// Where a core was left.
struct core_switch {
	unsigned from, to;
	const void *place; // null: between two steps of its program, or where it waits
};

unsigned explore_core;
bool explore_runs;

static const struct exploration *now;
static struct coroutine cores[CORES_MAX];
static void *outside; // stack pointer of explore()
static struct choice choices[CHOICES_MAX];
static unsigned choice_count, choice_next;
static unsigned preemptions, points;
static uint64_t writes;
static struct core_switch switches[SWITCHES_SHOWN];
static unsigned switch_count;

// Coroutines

asm(".text\n"
    "coroutine_switch:\n"
    "	push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
    "	mov %rsp, (%rdi)\n"
    "	mov %rsi, %rsp\n"
    "	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp\n"
    "	ret\n");

static void core_take(unsigned core) {
	explore_core = core;
	(void)host_use_core(host.cores[core].cpu);
}

static void switch_to(unsigned core, void **save, const void *place) {
	unsigned from = explore_core;

	if (core == from && save != &outside) return;
	if (switch_count < SWITCHES_SHOWN)
		switches[switch_count] = (struct core_switch){from, core, place};
	switch_count++;
	core_take(core);
	coroutine_switch(save, cores[core].stack_pointer);
}

// Choices

static unsigned choose(unsigned count) {
	struct choice *choice = &choices[choice_next];

	if (count < 2) return 0;
	if (choice_next == CHOICES_MAX) explore_fail("a run has too many choices");
	if (choice_next == choice_count) {
		*choice = (struct choice){0, (uint8_t)count};
		choice_count++;
	}
	if (choice->count != count) explore_fail("the same order does not repeat the same run");
	choice_next++;
	return choice->taken;
}

// To the next order. False: there is none.
static bool choices_advance(void) {
	while (choice_count) {
		struct choice *last = &choices[choice_count - 1];

		if (++last->taken < last->count) return true;
		choice_count--;
	}
	return false;
}

static bool is_able(unsigned core) {
	const struct coroutine *self = &cores[core];

	switch (self->state) {
	case CORE_WAITS: return writes - self->own_writes != self->writes;
	case CORE_RESTS: return host_is_interrupted(&host.cores[core]) || now->may_step(core);
	case CORE_GOES_ON: break;
	}
	return true;
}

// Leaves the present core for another one, or for itself if it may go on: the first choice. save:
// where the stack pointer goes.
static void go_on(bool with_self, void **save, const void *place) {
	uint8_t able[CORES_MAX];
	unsigned count = 0;
	unsigned chosen;

	explore_runs = false;
	if (++points > POINTS_MAX) explore_fail("the run does not end");
	if (with_self) able[count++] = (uint8_t)explore_core;
	for (unsigned i = 1; i < now->cores; i++) {
		unsigned core = (explore_core + i) % now->cores;

		if (is_able(core)) able[count++] = (uint8_t)core;
	}
	if (!count) explore_fail("all cores wait");
	chosen = choose(count);
	if (place && chosen) preemptions++;
	switch_to(able[chosen], save, place);
	explore_runs = true;
}

void explore_point(const void *from) {
	if (explore_runs && preemptions < now->preemptions)
		go_on(true, &cores[explore_core].stack_pointer, from);
}

void explore_written(void) {
	writes++;
	cores[explore_core].own_writes++;
}

// Waits

static void waits_look(struct coroutine *self) {
	self->writes = writes - self->own_writes;
	self->state = CORE_GOES_ON;
}

void cpu_relax(void) {
	struct coroutine *self = &cores[explore_core];

	if (!explore_runs) {
		printf("the kernel waits for another core while the system is built\n");
		abort();
	}
	access_show_stores();
	if (++points > POINTS_MAX) explore_fail("the run does not end");
	self->state = CORE_WAITS;
	// What it waits for may have been written since it looked.
	if (!is_able(explore_core)) go_on(false, &self->stack_pointer, NULL);
	waits_look(self);
}

static bool all_rest(void) {
	for (unsigned i = 0; i < now->cores; i++)
		if (cores[i].state != CORE_RESTS || is_able(i)) return false;
	return true;
}

// A core's life. It begins when the core is chosen.
[[gnu::noreturn]] static void core_main(void) {
	for (;;) {
		unsigned core = explore_core;
		struct coroutine *self = &cores[core];

		waits_look(self);
		explore_runs = true;
		now->step(core);
		access_show_stores();
		explore_runs = false;
		self->state = CORE_RESTS;
		if (all_rest()) coroutine_switch(&self->stack_pointer, outside);
		go_on(is_able(core), &self->stack_pointer, NULL);
	}
}

// Runs

static void core_start(unsigned core) {
	struct coroutine *self = &cores[core];
	void **top;

	if (!self->stack) self->stack = malloc(STACK_SIZE);
	if (!self->stack) abort();
	top = (void **)(self->stack + STACK_SIZE) - 1; // as after a call
	*top = NULL;
	*--top = core_main;
	self->stack_pointer = top - 6;
	memset(self->stack_pointer, 0, 6 * sizeof(*top));
	self->state = CORE_RESTS;
	self->writes = self->own_writes = 0;
}

static void run(void) {
	choice_next = preemptions = points = switch_count = 0;
	writes = 0;
	now->begin();
	access_begin(now->cores, now->delays_stores);
	for (unsigned i = 0; i < now->cores; i++)
		core_start(i);
	core_take(0);
	if (!all_rest()) go_on(is_able(0), &outside, NULL);
	explore_runs = false;
	core_take(0);
	now->end();
}

void explore_first(const struct exploration *exploration) {
	now = exploration;
	choice_count = 0;
	run();
}

uint64_t explore(const struct exploration *exploration) {
	uint64_t runs = 0;

	now = exploration;
	choice_count = 0;
	do {
		run();
		runs++;
	} while (choices_advance());
	return runs;
}

// Reports

// file:line of an address in this program.
void explore_place(const void *place) {
	FILE *output;
	char command[128], line[256];

	snprintf(command, sizeof(command), "addr2line -e /proc/%d/exe -f -p -s %p", (int)getpid(),
		place);
	output = popen(command, "r");
	if (output && fgets(line, sizeof(line), output))
		printf("%s", line);
	else
		printf("%p\n", place);
	if (output) pclose(output);
}

void explore_describe(void) {
	explore_runs = false;
	printf("  core %u ran when it failed; cores changed:\n", explore_core);
	for (unsigned i = 0; i < switch_count && i < SWITCHES_SHOWN; i++) {
		printf("    %u -> %u ", switches[i].from, switches[i].to);
		if (switches[i].place)
			explore_place(switches[i].place);
		else
			printf("between two steps, or waiting\n");
	}
	fflush(stdout);
}

[[gnu::format(printf, 1, 2)]] void explore_fail(const char *format, ...) {
	va_list arguments;

	va_start(arguments, format);
	printf("  ");
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	explore_describe();
	exit(1);
}
