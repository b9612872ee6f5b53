// SPDX-License-Identifier: BSD-2-Clause
// Budgets: nothing is lost or gained, and no window of one period sees more than the budget.
#include "test.h"

#include <sched/refill.h>
#include <stdalign.h>
#include <string.h>

enum {
	HISTORY = 4096,
	MINIMUM = 20,
	MAXIMUM = 10,
};

static alignas(64) unsigned char memory[SCHED_CONTEXT_CORE + MAXIMUM * sizeof(struct refill)];
static struct sched_context *const context = (struct sched_context *)memory;

// Stretches of time in which the context ran.
static struct refill history[HISTORY];
static unsigned runs;

static const struct refill *refill_at(unsigned i) {
	return &context->refill[(context->refills.head + i) % context->refills.maximum];
}

static void check_ring(void) {
	uint64_t sum = 0;

	check(context->refills.count >= 1);
	check(context->refills.count <= context->refills.maximum);
	for (unsigned i = 0; i < context->refills.count; i++) {
		const struct refill *refill = refill_at(i);

		sum += refill->amount;
		check(i == 0 || refill_at(i - 1)->time + refill_at(i - 1)->amount <= refill->time);
	}
	check(sum == context->refills.budget);
}

// Time used from start on, for one period.
static uint64_t used_from(uint64_t start) {
	uint64_t end = start + context->refills.period;
	uint64_t used = 0;

	for (unsigned i = 0; i < runs; i++) {
		uint64_t first = history[i].time > start ? history[i].time : start;
		uint64_t last = history[i].time + history[i].amount;

		last = last < end ? last : end;
		used += last > first ? last - first : 0;
	}
	return used;
}

static void run_a_while(unsigned maximum, uint64_t budget, uint64_t period) {
	struct refill_queue parameters = {
		.budget = budget, .period = period, .maximum = (uint16_t)maximum};
	uint64_t now = 1000000;

	runs = 0;
	refill_start(context, &parameters, now);
	check_ring();
	while (runs < 300) {
		uint64_t used;

		now += random_below(3) ? random_below((unsigned)budget)
				       : random_below((unsigned)period * 2);
		if (refill_head(context)->time > now) now = refill_head(context)->time;
		refill_unblock(context, now);
		check_ring();
		used = 1 + random_below((unsigned)refill_head(context)->amount);
		history[runs++] = (struct refill){.time = now, .amount = used};
		now += used;
		refill_charge(context, used, MINIMUM);
		check_ring();
	}
	for (unsigned i = 0; i < runs; i++)
		check(used_from(history[i].time) <= budget);
}

static void sporadic(void) {
	for (unsigned round = 0; round < 300; round++) {
		unsigned period = 200 + random_below(20000);
		unsigned budget = 2 * MINIMUM + random_below(period - 3 * MINIMUM);

		run_a_while(2 + random_below(MAXIMUM - 1), budget, period);
	}
}

static void round_robin(void) {
	struct refill_queue parameters = {.budget = 5000, .period = 5000, .maximum = 2};

	refill_start(context, &parameters, 77);
	check(refill_is_round_robin(context) && refill_head(context)->time <= 77);
	check(refill_head(context)->amount == 5000);
	refill_head(context)->amount -= 1200;
	check(refill_head(context)->time <= 1277);
	refill_renew(context, 1300);
	check(refill_head(context)->amount == 5000 && refill_head(context)->time > 1299);
}

static void reconfigured(void) {
	struct refill_queue parameters = {.budget = 1000, .period = 10000, .maximum = 4};

	refill_start(context, &parameters, 500);
	refill_charge(context, 300, MINIMUM);
	check_ring();
	parameters.budget = 400;
	parameters.period = 2000;
	refill_restart(context, &parameters, 900);
	check_ring();
	check(refill_head(context)->amount == 400 && refill_head(context)->time >= 900);
	parameters.budget = 600;
	refill_restart(context, &parameters, 950);
	check_ring();
	check(refill_head(context)->amount == 400 && context->refills.count == 2);
}

// As many refills as fit, of which some may touch the next.
static void fill_ring(uint64_t budget, uint64_t period) {
	struct refill_queue parameters = {.budget = budget, .period = period, .maximum = MAXIMUM};
	uint64_t now = 1000000;

	refill_start(context, &parameters, now);
	for (unsigned i = 0; i < 30; i++) {
		uint64_t used = 1 + random_below((unsigned)refill_head(context)->amount);

		now += random_below((unsigned)period / 4);
		if (refill_head(context)->time > now) now = refill_head(context)->time;
		refill_unblock(context, now);
		refill_charge(context, used, MINIMUM);
		now += used;
	}
}

// The refills in their order.
struct ring {
	unsigned count;
	struct refill refills[MAXIMUM];
};

static struct ring read_ring(uint64_t delay) {
	struct ring ring = {.count = context->refills.count};

	check_ring();
	for (unsigned i = 0; i < ring.count; i++) {
		ring.refills[i] = *refill_at(i);
		ring.refills[i].time += delay;
	}
	return ring;
}

// Time that ran over by whole budgets moves all by as many periods, in a few steps.
static void charged_long(void) {
	static unsigned char copy[sizeof(memory)];

	for (unsigned round = 0; round < 1000; round++) {
		uint64_t period = 2000 + random_below(20000);
		uint64_t budget = 500 + random_below((unsigned)period - 600);
		uint64_t times = random_below(2) ? random_below(40) : 3600000000ul;
		uint64_t used = random_below((unsigned)budget);
		struct ring one, other;

		fill_ring(budget, period);
		refill_charge(context, 2 * budget, MINIMUM); // now nothing touches any more
		memcpy(copy, memory, sizeof(memory));
		refill_charge(context, used, MINIMUM);
		one = read_ring(times * period);
		memcpy(memory, copy, sizeof(memory));
		(void)steps_taken();
		refill_charge(context, used + times * budget, MINIMUM);
		check(steps_taken() < 200 * MAXIMUM);
		other = read_ring(0);
		check(memcmp(&one, &other, sizeof(one)) == 0);
	}
}

// A delay that no number holds ends at one that is long enough.
static void charged_for_ever(void) {
	struct refill_queue parameters = {.budget = 1000, .period = 1ul << 60, .maximum = 4};

	refill_start(context, &parameters, 1000);
	refill_charge(context, 1ul << 50, MINIMUM);
	check_ring();
	check(refill_head(context)->time >= 1ul << 61);
}

static const struct test rows[] = {
	{"REFILL001", "a sporadic budget is kept in every window of a period", sporadic},
	{"REFILL002", "round robin only counts down", round_robin},
	{"REFILL003", "new parameters give no more than the new budget", reconfigured},
	{"REFILL004", "an hour that ran over is charged in a few steps", charged_long},
	{"REFILL005", "a delay beyond all numbers is a long one", charged_for_ever},
};

TESTS(refill_tests);
