// SPDX-License-Identifier: BSD-2-Clause
// Helpers on other cores than that of the tests, which is the first. `settle` says nothing of them.
#pragma once

#include <x86/instructions.h>
#include "world.h"

enum { CORES_MOST = 64 };

// Lets other cores of an emulator run: they may share one of its host's.
static inline void core_relax(void) { asm volatile("pause" ::: "memory"); }

unsigned core_count(void);
// The first is of the tests themselves; there are two at least. Numbers are taken modulo the
// others.
unsigned core_other(unsigned number);

struct message core_configure(unsigned core, uint64_t sched_context, struct sched_setting setting);
struct message core_move(unsigned core, uint64_t sched_context); // with an ordinary slice
struct helper *core_helper(unsigned core, uint64_t priority);
struct helper *core_start(unsigned core, uint64_t priority, void (*run)(struct helper *helper));

// What the hardware says of where it is executed: nothing that the kernel could get wrong.
unsigned core_hardware_id(void);
// That of a core, from a thread that was placed there.
unsigned core_id(unsigned core);

// Bodies for core_start. The first counts for ever, and tells in result 0 where it did so last.
void core_spin(struct helper *helper);
void core_serve(struct helper *helper); // argument 0: endpoint, 1: Reply; result 0 as above
void core_call_once(struct helper *helper); // argument 0: endpoint
void core_wait_once(struct helper *helper); // argument 0: notification; result 1: it is about to

// This thread stays in a loop.
void core_pass(uint64_t microseconds);

// Other cores make it true while this one stays in a loop, where no other thread can run.
#define CHECK_MEANWHILE(condition) \
	do { \
		uint64_t end_ = tsc_read() + tsc_of(15000000); \
		while (!(condition)) { \
			if (tsc_read() > end_) test_fail(HERE, "not in time: %s", #condition); \
			core_relax(); \
		} \
	} while (0)

// The helper counts now, and on this core; it counts no more.
void core_check_counts(struct place place, const struct helper *helper, unsigned core);
void core_check_stands(struct place place, const struct helper *helper);
#define CHECK_COUNTS(helper, core) core_check_counts(HERE, (helper), (core))
#define CHECK_STANDS(helper) core_check_stands(HERE, (helper))
