// SPDX-License-Identifier: BSD-2-Clause
// Scheduling contexts: the right to CPU time (SCHED-1 to SCHED-19).
#pragma once

#include <base/compiler.h>

// Budget arithmetic (refill.c) works on a ring of refills (SCHED-8 to SCHED-13), in ticks.
struct refill {
	uint64_t time; // usable from
	uint64_t amount;
};

struct refill_queue {
	uint64_t budget, period;
	uint32_t head, count;
	uint32_t maximum; // refills in use at most; 0 while the context is not configured
};

enum {
	SCHED_CONTEXT_SPORADIC = 1 << 0, // ConfigureFlags bit 0
	SCHED_CONTEXT_CORE = 96, // bytes before the refills; 2 fit 7 bits (SCHED-2)
	REFILLS_MAX = 256, // in use, whatever the object holds: more are merged with the last
	MINIMUM_BUDGET_US = 20, // what a head refill must hold to be worth running on (SCHED-2)
};

struct sched_context {
	struct refill_queue refills;
	uint64_t consumed; // ticks since the last report
	uint64_t badge; // sent with timeout faults
	struct thread *thread;
	struct reply *reply; // head of the call chain this context travelled along
	struct notification *notification;
	struct thread *yield_from; // the thread that waits in YieldTo for this context
	uint64_t flags;
	struct cpu *cpu; // where its thread runs; null: not configured yet
	struct refill refill[]; // 2 + extra
};

_Static_assert(offsetof(struct sched_context, refill) == SCHED_CONTEXT_CORE);
// What a donation writes is one cache line.
_Static_assert(offsetof(struct sched_context, notification) == 64);

static inline bool sched_context_is_active(const struct sched_context *context) {
	return context->refills.maximum > 0;
}

// Both are free, and a thread that waits would not have to wait for budget as well.
[[nodiscard]] bool sched_context_can_bind(
	const struct sched_context *context, const struct thread *thread);

// Donates or binds context to thread, which must have none.
void sched_context_bind_thread(struct sched_context *context, struct thread *thread);

// Takes context away from its thread, which is no longer runnable.
void sched_context_unbind_thread(struct sched_context *context);

// Moves context from its present holder to thread (which has none), as IPC donates it.
void sched_context_donate(struct sched_context *context, struct thread *thread);

// The YieldTo of context's waiter is over: the waiter gets the consumed time as its result.
void sched_context_complete_yield(struct sched_context *context);

// Microseconds consumed since the last report; the count restarts.
uint64_t sched_context_take_consumed(struct sched_context *context);
