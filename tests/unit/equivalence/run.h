// SPDX-License-Identifier: BSD-2-Clause
// One run of the proof: the world, copies of its memory, and what was counted.
#pragma once

#include "chance.h"
#include "memory.h"
#include "world.h"

#include <abi/syscall.h>

enum {
	FAST_PATHS_MAX = 8, // rows of compare.c
	PATHS_MAX = 4096, // ways through one of them
};

// The ways a fast path ended: finished, or gave up.
struct ways {
	uint64_t calls;
	unsigned count;
	uint64_t seen[PATHS_MAX]; // path.h
};

struct fast_count {
	struct ways finished, given_up;
};

struct run {
	struct chance chance;
	struct world world;
	struct memory memory;
	uint64_t *start; // as world_make left it
	uint64_t *before, *fast; // one system call
	const struct thread *was_current; // before a fast path
	bool was_queued[THREADS];
	unsigned contexts; // that are handed out in this round
	uint64_t seed;
	uint64_t operations; // system calls and exceptions
	struct fast_count counts[FAST_PATHS_MAX];
};

// Random registers and message of a system call of the current thread.
void call_choose(struct run *run);

// Carries the system call or an exception out; ends the program with a report if the paths differ.
void compare_call(struct run *run);
void compare_exception(struct run *run, unsigned vector, unsigned code);

// Around a fast path that finishes; ends the program if it queued a thread at the wrong place.
void order_note(struct run *run);
void order_check(const struct run *run, const char *path);

// Prints one line; false if a fast path was taken too seldom.
bool compare_report(const struct run *run);

// The system of a new round: everything as at the start but for some random settings.
void round_begin(struct run *run);

// A moment passes: time, and the timer.
void outside_pass(struct run *run);

// Something other than a system call: time, interrupts, exceptions, changes by a manager.
void outside_step(struct run *run);

// No thread can run: what makes one run again.
void outside_revive(struct run *run);
