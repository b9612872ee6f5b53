// SPDX-License-Identifier: BSD-2-Clause
// Budget arithmetic on the ring of refills of a scheduling context (SCHED-6 to SCHED-11), in ticks.
#pragma once

#include <sched/sched_context.h>

static inline struct refill *refill_head(const struct sched_context *context) {
	return (struct refill *)&context->refill[context->refills.head];
}

static inline bool refill_is_round_robin(const struct sched_context *context) {
	return context->refills.budget == context->refills.period;
}

// A full budget usable from now. maximum is at least 2 and fits the object.
void refill_start(
	struct sched_context *context, const struct refill_queue *parameters, uint64_t now);

// New parameters while the budget is in use: what is left of the head, cut to the new budget,
// stays usable, and the rest comes one new period later (SCHED-7).
void refill_restart(
	struct sched_context *context, const struct refill_queue *parameters, uint64_t now);

// Charges used ticks to a context that is not round robin: each used amount comes back one period
// after it became usable. An overrun charges whole heads one after another. minimum: what a head
// must hold to be worth running.
void refill_charge(struct sched_context *context, uint64_t used, uint64_t minimum);

// A round robin turn begins anew.
static inline void refill_renew(struct sched_context *context, uint64_t now) {
	*refill_head(context) = (struct refill){now, context->refills.budget};
}

// The context becomes usable again after a pause: a head whose time has come moves to now, and
// refills that would overlap it are merged into it (SCHED-13).
void refill_unblock(struct sched_context *context, uint64_t now);
