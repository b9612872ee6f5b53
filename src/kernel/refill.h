// SPDX-License-Identifier: BSD-2-Clause
// Budget arithmetic of scheduling contexts: a ring of (time, amount) refills (semantics.md G4 to
// G8). Pure: no clock, no queues; times and amounts in ticks.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct refill {
	uint64_t time; // usable from
	uint64_t amount;
};

struct refill_queue {
	uint64_t budget;
	uint64_t period;
	uint32_t head;
	uint32_t count;
	uint32_t maximum; // refills in use at most; 0 while the context is not configured
	uint32_t unused;
};

struct sched_context;

// A full budget usable from now. maximum is at least 2 and fits the object.
void refill_start(
	struct sched_context *context, const struct refill_queue *parameters, uint64_t now);

// New parameters while the budget is in use: what is left of the head, cut to the new budget,
// stays usable, and the rest comes one new period later (G9).
void refill_restart(
	struct sched_context *context, const struct refill_queue *parameters, uint64_t now);

// Charges used ticks: each used amount comes back one period after it became usable. An overrun
// charges whole heads one after another. minimum: what a head must hold to be worth running.
void refill_charge(struct sched_context *context, uint64_t used, uint64_t minimum);

// The whole head is given up and comes back one period later.
void refill_give_up(struct sched_context *context, uint64_t minimum);

// The context becomes usable again after a pause: a head whose time has come moves to now, and
// refills that would overlap it are merged into it (G7).
void refill_unblock(struct sched_context *context, uint64_t now);

const struct refill *refill_head(const struct sched_context *context);
bool refill_is_ready(const struct sched_context *context, uint64_t now);
bool refill_is_round_robin(const struct sched_context *context);
