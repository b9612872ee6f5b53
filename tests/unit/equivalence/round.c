// SPDX-License-Identifier: BSD-2-Clause
// Rounds: objects destroyed in one are restored for the next.
#include "run.h"

#include <cpu/features.h>
#include <cpu/percpu.h>
#include <sched/switch.h>

enum { STARTED = 6 }; // threads

static uint64_t ticks(struct run *run, unsigned most) {
	return (MINIMUM_BUDGET_US + chance_below(&run->chance, most)) * (uint64_t)HOST_TICKS_PER_US;
}

// Some round robin, some sporadic.
static void context_start(struct run *run, struct sched_context *context) {
	struct refill_queue queue = {.budget = ticks(run, 5000)};

	queue.period = queue.budget + (chance_percent(&run->chance, 50) ? 0 : ticks(run, 9000));
	queue.maximum = 2 + chance_below(&run->chance, 8);
	context->flags = chance_percent(&run->chance, 30) ? SCHED_CONTEXT_SPORADIC : 0;
	refill_start(context, &queue, host.now);
}

void round_begin(struct run *run) {
	struct world *world = &run->world;

	memory_restore(&run->memory, run->start);
	this_cpu()->benchmark = (struct benchmark){.is_on = true, .switched = host.now};
	host.preempt_period = chance_percent(&run->chance, 20) ? 2 : 0;
	host.is_fpu_eager = chance_percent(&run->chance, 25);
	this_cpu()->features = chance_word(&run->chance) &
		(1ul << FEATURE_FSGSBASE | 1ul << FEATURE_XSAVEOPT);
	run->contexts = 2 + chance_below(&run->chance, CONTEXTS - 1);
	for (unsigned i = 0; i < CONTEXTS; i++)
		context_start(run, world->contexts[i]);
	for (unsigned i = 0; i < THREADS; i++) {
		struct thread *thread = world->threads[i];

		thread->priority = (uint8_t)chance_below(&run->chance, PRIORITY_RANGE);
		thread->fpu_used = thread_fpu_at_start(thread);
		if (i < run->contexts) sched_context_bind_thread(world->contexts[i], thread);
		if (i < STARTED) thread_resume(thread);
	}
	schedule_request();
	(void)schedule();
}
