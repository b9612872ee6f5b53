// SPDX-License-Identifier: BSD-2-Clause
// The scheduler: queues, budgets, the choice, and loading what was chosen.
#include <kernel/schedule.h>

#include <base/bits.h>
#include <base/compiler.h>
#include <base/panic.h>
#include <cpu/bases.h>
#include <cpu/clock.h>
#include <cpu/features.h>
#include <kernel/fault.h>
#include <kernel/guest_hooks.h>
#include <kernel/sched_context.h>
#include <kernel/space.h>
#include <kernel/thread_queue.h>
#include <kernel/trace.h>

// One core's queues. Written only by its own core, inside the kernel.
struct scheduler {
	struct thread *ready[PRIORITIES];
	uint64_t ready_bits[PRIORITIES / 64];
	uint32_t ready_words; // which of ready_bits are not 0
	struct thread *release; // by time, soonest first
	struct thread idle;
};

static struct scheduler boot_scheduler;

static struct scheduler *scheduler(void) { return this_cpu()->scheduler; }

void schedule_init(struct cpu *cpu) {
	struct scheduler *self = &boot_scheduler;

	self->idle.state = THREAD_IDLE;
	cpu->scheduler = self;
	cpu->current = &self->idle;
	cpu->ready_top = -1;
	cpu->minimum_budget = MINIMUM_BUDGET_US * clock_ticks_per_us();
	cpu->now = clock_now();
	cpu->booked = cpu->now;
}

// Ready queues

// The queue of this priority has its first thread.
static void ready_mark(struct scheduler *self, unsigned priority) {
	self->ready_bits[priority / 64] |= 1ul << priority % 64;
	self->ready_words |= 1u << priority / 64;
	if ((int)priority > this_cpu()->ready_top) this_cpu()->ready_top = (int)priority;
}

static int32_t ready_highest(const struct scheduler *self) {
	unsigned word;

	if (!self->ready_words) return -1;
	word = bits_highest(self->ready_words);
	return (int)(word * 64 + bits_highest(self->ready_bits[word]));
}

// The queue of this priority has lost its last thread.
static void ready_clear(struct scheduler *self, unsigned priority) {
	self->ready_bits[priority / 64] &= ~(1ul << priority % 64);
	if (!self->ready_bits[priority / 64]) self->ready_words &= ~(1u << priority / 64);
	this_cpu()->ready_top = ready_highest(self);
}

void schedule_append(struct thread *thread) {
	struct scheduler *self = scheduler();
	struct thread **head = &self->ready[thread->priority];

	assert(!thread->is_queued && !thread->is_released);
	thread->is_queued = true;
	if (!*head) ready_mark(self, thread->priority);
	thread_queue_append(head, thread);
}

static void ready_prepend(struct thread *thread) {
	struct scheduler *self = scheduler();
	struct thread **head = &self->ready[thread->priority];

	assert(!thread->is_queued && !thread->is_released);
	thread->is_queued = true;
	if (!*head) ready_mark(self, thread->priority);
	thread_queue_prepend(head, thread);
}

static void ready_remove(struct thread *thread) {
	struct scheduler *self = scheduler();
	struct thread **head = &self->ready[thread->priority];

	thread->is_queued = false;
	thread_queue_remove(head, thread);
	if (!*head) ready_clear(self, thread->priority);
}

// Release queue

static uint64_t release_time(const struct thread *thread) {
	return refill_head(thread->sched_context)->time;
}

static void release_insert(struct thread *thread) {
	struct scheduler *self = scheduler();
	struct thread *before = thread_queue_tail(&self->release);

	while (before && release_time(before) > release_time(thread))
		before = thread_queue_before(&self->release, before);
	thread_queue_insert(&self->release, before, thread);
	thread->is_released = true;
	if (release_time(thread) < this_cpu()->attention) schedule_again();
}

static void release_remove(struct thread *thread) {
	thread_queue_remove(&scheduler()->release, thread);
	thread->is_released = false;
}

void schedule_dequeue(struct thread *thread) {
	struct cpu *cpu = this_cpu();

	if (cpu->candidate == thread) cpu->candidate = NULL;
	if (cpu->current == thread) cpu->again = true;
	if (thread->is_queued)
		ready_remove(thread);
	else if (thread->is_released)
		release_remove(thread);
}

void schedule_enqueue_first(struct thread *thread) {
	schedule_dequeue(thread);
	ready_prepend(thread);
	schedule_again();
}

// Budget

bool schedule_has_budget(const struct sched_context *context) {
	const struct cpu *cpu = this_cpu();
	const struct refill *head = refill_head(context);

	return sched_context_is_active(context) && head->time <= cpu->now &&
		head->amount >= cpu->minimum_budget;
}

bool thread_is_schedulable(const struct thread *thread) {
	return thread_is_runnable(thread) && thread->sched_context &&
		sched_context_is_active(thread->sched_context) && !thread->is_released;
}

void schedule_commit_time(void) {
	struct cpu *cpu = this_cpu();
	uint64_t used = cpu->now - cpu->booked;

	cpu->booked = cpu->now;
	if (!cpu->running_on) return;
	cpu->running_on->consumed += used;
	refill_charge(cpu->running_on, used, cpu->minimum_budget);
}

void schedule_forget_context(struct sched_context *context) {
	struct cpu *cpu = this_cpu();

	if (cpu->running_on != context) return;
	schedule_commit_time();
	cpu->running_on = NULL;
	cpu->again = true;
}

// The next moment the kernel must look: end of the head refill, or a release. Entries look a little
// before that end, for less than the minimum budget is not worth going on.
static void set_timer(struct cpu *cpu) {
	const struct thread *release = cpu->scheduler->release;
	uint64_t end = UINT64_MAX;
	uint64_t attention = UINT64_MAX;

	if (cpu->running_on) {
		end = cpu->booked + refill_head(cpu->running_on)->amount;
		attention = end - cpu->minimum_budget;
	}
	if (unlikely(release)) {
		end = release_time(release) < end ? release_time(release) : end;
		attention = end < attention ? end : attention;
	}
	cpu->attention = attention;
	clock_set_deadline(end);
}

// The current thread's turn is over: to the tail of its priority if it may go on at once, else it
// waits for its next refill. Alone at the top, it just goes on.
static void end_turn(struct thread *thread) {
	struct sched_context *context = thread->sched_context;

	schedule_again();
	if (refill_is_round_robin(context))
		refill_start(context, &context->refills, schedule_now());
	if (!schedule_has_budget(context))
		release_insert(thread);
	else if (thread->priority <= this_cpu()->ready_top)
		schedule_append(thread);
}

// Too little is left of the head refill to run on.
static bool turn_is_over(const struct cpu *cpu) {
	const struct sched_context *context = cpu->current->sched_context;

	return context && context == cpu->running_on &&
		refill_head(context)->amount < cpu->now - cpu->booked + cpu->minimum_budget;
}

bool schedule_has_time_left(void) {
	struct thread *current = this_cpu()->current;

	if (!turn_is_over(this_cpu())) return true;
	schedule_commit_time();
	if (current->state == THREAD_RUNNING) current->state = THREAD_RESTART;
	if (refill_is_round_robin(current->sched_context) || !fault_timeout(current))
		end_turn(current);
	return false;
}

void schedule_reconsider_current(void) {
	struct thread *current = this_cpu()->current;

	schedule_again();
	if (!schedule_has_budget(current->sched_context)) release_insert(current);
}

void schedule_yield(void) {
	struct cpu *cpu = this_cpu();
	struct thread *current = cpu->current;

	schedule_commit_time();
	refill_give_up(current->sched_context, cpu->minimum_budget);
	end_turn(current);
}

// Wake-up

void schedule_possible(struct thread *thread) {
	struct cpu *cpu = this_cpu();
	struct sched_context *context = thread->sched_context;

	if (!thread_is_schedulable(thread) || thread->is_queued || thread == cpu->current) return;
	if (context != cpu->running_on) {
		if (context->flags & SCHED_CONTEXT_SPORADIC) refill_unblock(context, cpu->now);
		if (!schedule_has_budget(context)) {
			release_insert(thread);
			return;
		}
	}
	if (cpu->candidate) {
		schedule_append(cpu->candidate);
		cpu->candidate = NULL;
		cpu->again = true;
	}
	if (cpu->again)
		schedule_append(thread);
	else
		cpu->candidate = thread;
}

// The choice

// Decides between the current thread, the candidate and the ready queues (D22, G17).
static struct thread *choose(struct cpu *cpu) {
	struct thread *current = cpu->current;
	struct thread *candidate = cpu->candidate;

	cpu->candidate = NULL;
	cpu->again = false;
	if (thread_is_schedulable(current) && !current->is_queued) {
		if (candidate && candidate->priority <= current->priority) {
			schedule_append(candidate);
			candidate = NULL;
		}
		if (!candidate && current->priority >= cpu->ready_top) return current;
		ready_prepend(current);
	}
	if (candidate) {
		if (candidate->priority >= cpu->ready_top) return candidate;
		ready_prepend(candidate);
	}
	if (cpu->ready_top < 0) return &cpu->scheduler->idle;
	candidate = cpu->scheduler->ready[cpu->ready_top];
	ready_remove(candidate);
	return candidate;
}

// Releases whose time has come, and a turn that is over. VM exits and debug calls come here without
// a check of the budget. A context must not be put aside with less than the minimum: its thread
// would wait for a time that has come.
[[gnu::cold]] static void attend(struct cpu *cpu) {
	struct thread *current = cpu->current;
	struct thread *next;

	cpu->again = true;
	while ((next = cpu->scheduler->release) && release_time(next) <= cpu->now) {
		release_remove(next);
		schedule_possible(next);
	}
	if (turn_is_over(cpu) && thread_is_schedulable(current) && !current->is_queued) {
		schedule_commit_time();
		end_turn(current);
	}
}

// FS and GS base of current give way to those of next, a program.
static inline void switch_bases(
	struct cpu *cpu, struct thread *current, const struct thread *next) {
	if (likely(cpu->bases_loaded && feature_has(FEATURE_FSGSBASE) && !bases_have_selectors()))
		return bases_exchange(&current->context, &next->context);
	if (cpu->bases_loaded) bases_save(&current->context);
	bases_load(&next->context);
	cpu->bases_loaded = true;
}

// next, which is not current and continues in its program, runs from now on.
[[gnu::always_inline]] static inline void run(
	struct cpu *cpu, struct thread *current, struct thread *next) {
	struct sched_context *context = next->sched_context;

	if (likely(context != cpu->running_on)) {
		schedule_commit_time();
		cpu->running_on = context;
		if (!(context->flags & SCHED_CONTEXT_SPORADIC)) refill_unblock(context, cpu->now);
	}
	set_timer(cpu);
	cpu->current = next;
	switch_bases(cpu, current, next);
	space_load(cpu, next);
	if (unlikely(cpu->fpu_allowed != next->fpu_used)) fpu_give(next->fpu_used);
}

// The same for any thread, and for current itself.
static enum way_out run_any(struct cpu *cpu, struct thread *current, struct thread *next) {
	if (cpu->bases_loaded && (next != current || next->state == THREAD_IN_GUEST)) {
		bases_save(&current->context);
		cpu->bases_loaded = false;
	}
	cpu->current = next;
	if (next->sched_context != cpu->running_on) {
		schedule_commit_time();
		cpu->running_on = next->sched_context;
		if (cpu->running_on && !(cpu->running_on->flags & SCHED_CONTEXT_SPORADIC))
			refill_unblock(cpu->running_on, cpu->now);
	}
	set_timer(cpu);
	if (next->state == THREAD_IDLE) return WAY_OUT_IDLE;

	if (next->yielding_to) sched_context_complete_yield(next->yielding_to);
	if (next->state == THREAD_RESTART) {
		thread_rewind(next);
		next->state = THREAD_RUNNING;
	}
	space_load(cpu, next);
	if (next->state == THREAD_IN_GUEST) return guest_hooks.prepare(next);
	if (!cpu->bases_loaded) bases_load(&next->context);
	cpu->bases_loaded = true;
	if (cpu->fpu_allowed != next->fpu_used) fpu_give(next->fpu_used);
	return WAY_OUT_USER;
}

enum way_out schedule(void) {
	struct cpu *cpu = this_cpu();
	struct thread *current = cpu->current;
	struct thread *next;

	if (unlikely(cpu->now >= cpu->attention)) attend(cpu);
	if (current->state == THREAD_RUNNING && !cpu->candidate && !cpu->again) return WAY_OUT_USER;

	next = choose(cpu);
	if (next == current || next->state != THREAD_RUNNING || next->yielding_to)
		return run_any(cpu, current, next);
	run(cpu, current, next);
	return WAY_OUT_USER;
}

void schedule_preempt(struct thread *thread) {
	struct cpu *cpu = this_cpu();
	struct thread *current = cpu->current;

	schedule_update_time();
	ready_prepend(current);
	run(cpu, current, thread);
}

void schedule_check(void) {
	const struct scheduler *self = scheduler();
	const struct thread *thread;

	assert(this_cpu()->ready_top == ready_highest(self));
	for (unsigned i = 0; i < PRIORITIES; i++) {
		assert(!self->ready[i] == !(self->ready_bits[i / 64] >> i % 64 & 1));
		for (thread = self->ready[i]; thread; thread = thread->queue.next)
			assert(thread->is_queued && thread->priority == i);
	}
	for (thread = self->release; thread && thread->queue.next; thread = thread->queue.next)
		assert(thread->is_released && thread->queue.next->queue.previous == thread &&
			release_time(thread) <= release_time(thread->queue.next));
}

static void dump_queue(const struct thread *thread, const char *name) {
	for (; thread; thread = thread->queue.next)
		print("  %-16s %-8s priority %3u state %u rip %lx\n", thread->name, name,
			thread->priority, thread->state, thread->context.rip);
}

void schedule_dump(void) {
	const struct scheduler *self = scheduler();

	print("scheduler: now %lu ticks, current '%s'\n", schedule_now(),
		this_cpu()->current->name);
	for (int priority = PRIORITIES - 1; priority >= 0; priority--)
		dump_queue(self->ready[priority], "ready");
	dump_queue(self->release, "release");
}
