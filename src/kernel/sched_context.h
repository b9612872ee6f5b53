// SPDX-License-Identifier: BSD-2-Clause
// Scheduling contexts: the right to CPU time (semantics.md G).
#pragma once

#include <kernel/refill.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct thread;
struct notification;
struct reply;

enum {
	SCHED_CONTEXT_SPORADIC = 1 << 0, // ConfigureFlags bit 0
	SCHED_CONTEXT_CORE = 96, // bytes before the refills
};

struct sched_context {
	struct refill_queue refills;
	uint64_t consumed; // ticks since the last report
	uint64_t badge; // told in timeout faults
	struct thread *thread;
	struct notification *notification;
	struct reply *reply; // head of the call chain this context travelled along
	struct thread *yield_from; // who waits in YieldTo for this context
	uint32_t core;
	uint32_t flags;
	uint8_t size_bits;
	uint8_t unused[7];
	struct refill refill[]; // 2 + extra
};

_Static_assert(offsetof(struct sched_context, refill) == SCHED_CONTEXT_CORE);

// Refills that fit an object of 2^size_bits bytes (objects.md 2: 2 at 7 bits, then 16 bytes each).
static inline unsigned sched_context_capacity(unsigned size_bits) {
	uint64_t capacity = ((1ul << size_bits) - SCHED_CONTEXT_CORE) / sizeof(struct refill);

	return capacity > UINT32_MAX ? UINT32_MAX : (unsigned)capacity;
}

static inline bool sched_context_is_active(const struct sched_context *context) {
	return context->refills.maximum > 0;
}

// Lends or gives context to thread, which must have none.
void sched_context_bind_thread(struct sched_context *context, struct thread *thread);

// Takes context away from its thread: it stops being runnable.
void sched_context_unbind_thread(struct sched_context *context);

void sched_context_bind_notification(
	struct sched_context *context, struct notification *notification);
void sched_context_unbind_notification(struct sched_context *context);

// Moves context from its present holder to thread (which has none), as IPC donates it.
void sched_context_donate(struct sched_context *context, struct thread *thread);

// Everything that refers to context forgets it: thread, notification, call chain, YieldTo.
void sched_context_detach(struct sched_context *context);

// The YieldTo of context's waiter is over: the waiter gets the consumed time as its result.
void sched_context_complete_yield(struct sched_context *context);

// Microseconds consumed since the last report; starts anew.
uint64_t sched_context_take_consumed(struct sched_context *context);
