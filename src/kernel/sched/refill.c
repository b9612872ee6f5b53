// SPDX-License-Identifier: BSD-2-Clause
// Refill ring: charge, merge, delay. Pure: no clock, no queues.
#include <sched/refill.h>

// Ticks: centuries, and far from where sums would wrap.
#define LONGEST_DELAY (1ul << 62)

static struct refill *refill_at(struct sched_context *context, unsigned offset) {
	struct refill_queue *queue = &context->refills;
	unsigned index = queue->head + offset;

	return &context->refill[index >= queue->maximum ? index - queue->maximum : index];
}

static struct refill pop_head(struct sched_context *context) {
	struct refill_queue *queue = &context->refills;
	struct refill head = context->refill[queue->head];

	queue->head = queue->head + 1 == queue->maximum ? 0 : queue->head + 1;
	queue->count--;
	return head;
}

// Adds a refill after the tail. It is merged with the tail if the two touch, or if the ring is
// full; then the tail is delayed so that it ends when the new one would have ended.
static void append(struct sched_context *context, struct refill refill) {
	struct refill_queue *queue = &context->refills;
	struct refill *tail = refill_at(context, queue->count - 1);

	if (refill.time <= tail->time + tail->amount) {
		tail->amount += refill.amount;
	} else if (queue->count == queue->maximum) {
		tail->amount += refill.amount;
		tail->time = refill.time + refill.amount - tail->amount;
	} else {
		*refill_at(context, queue->count++) = refill;
	}
}

void refill_start(
	struct sched_context *context, const struct refill_queue *parameters, uint64_t now) {
	context->refills = *parameters;
	context->refills.count = 1;
	context->refill[0] = (struct refill){.time = now, .amount = parameters->budget};
}

void refill_restart(
	struct sched_context *context, const struct refill_queue *parameters, uint64_t now) {
	struct refill head = *refill_head(context);
	uint64_t budget = parameters->budget;

	refill_start(context, parameters, now);
	if (refill_is_round_robin(context)) return;
	if (head.amount > budget) head.amount = budget;
	if (head.time < now) head.time = now;
	context->refill[0] = head;
	if (head.amount < budget)
		append(context,
			(struct refill){head.time + parameters->period, budget - head.amount});
}

// Merges the head with the next refill, which begins as much earlier: nothing ends later.
static void merge_head(struct sched_context *context) {
	struct refill first = pop_head(context), *head = refill_head(context);

	head->time -= first.amount;
	head->amount += first.amount;
}

// Moves the whole head one period later.
static void recycle_head(struct sched_context *context) {
	struct refill used = *refill_head(context);

	used.time += context->refills.period;
	if (context->refills.count == 1) {
		*refill_head(context) = used;
	} else {
		pop_head(context);
		append(context, used);
	}
}

// used covers all refills several times over, and those of one period no longer touch those of the
// next: each whole budget moves all of them one period later. Returns what is left of used.
static uint64_t skip_periods(struct sched_context *context, uint64_t used) {
	const struct refill_queue *queue = &context->refills;
	uint64_t delay;

	if (__builtin_mul_overflow(used / queue->budget, queue->period, &delay) ||
		delay > LONGEST_DELAY)
		delay = LONGEST_DELAY;
	for (unsigned i = 0; i < queue->count; i++)
		refill_at(context, i)->time += delay;
	return used % queue->budget;
}

[[gnu::noinline]] void refill_charge(
	struct sched_context *context, uint64_t used, uint64_t minimum) {
	struct refill *head = refill_head(context);
	unsigned steps = 2 * context->refills.count; // in two rounds all have met that touch

	for (; used > 0 && head->amount <= used; head = refill_head(context)) {
		if (steps-- == 0) {
			used = skip_periods(context, used);
			continue;
		}
		used -= head->amount;
		recycle_head(context);
	}
	if (used > 0) {
		struct refill later = {head->time + context->refills.period, used};

		head->amount -= used;
		head->time += used;
		append(context, later);
	}
	// A head too small to run on goes into the next refill.
	while (refill_head(context)->amount < minimum && context->refills.count > 1)
		merge_head(context);
}

void refill_unblock(struct sched_context *context, uint64_t now) {
	if (refill_is_round_robin(context) || refill_head(context)->time > now) return;
	while (context->refills.count > 1 &&
		refill_at(context, 1)->time <= now + refill_head(context)->amount)
		merge_head(context);
	refill_head(context)->time = now;
}
