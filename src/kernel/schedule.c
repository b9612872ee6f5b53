// SPDX-License-Identifier: BSD-2-Clause
// The scheduler: queues, budgets, the choice, and loading what was chosen.
#include <kernel/schedule.h>

#include <base/bits.h>
#include <base/compiler.h>
#include <base/panic.h>
#include <cpu/bases.h>
#include <cpu/clock.h>
#include <kernel/fault.h>
#include <kernel/guest_hooks.h>
#include <kernel/sched_context.h>
#include <kernel/space.h>
#include <kernel/thread_queue.h>
#include <kernel/trace.h>

static struct scheduler boot_scheduler;

static struct scheduler *scheduler(void) { return this_cpu()->scheduler; }

void schedule_init(struct cpu *cpu) {
	struct scheduler *self = &boot_scheduler;

	self->minimum_budget = MINIMUM_BUDGET_US * clock_ticks_per_us();
	self->now = clock_now();
	self->booked = self->now;
	self->idle.state = THREAD_IDLE;
	cpu->scheduler = self;
	cpu->current = &self->idle;
	cpu->ready_top = -1;
}

// Ready queues

// Behind before, or first of its priority if that is null.
static void ready_insert(struct scheduler *self, struct thread *before, struct thread *thread) {
	unsigned priority = thread->priority;

	assert(!thread->is_queued && !thread->is_released);
	thread_queue_insert(&self->ready[priority], before, thread);
	self->ready_bits[priority / 64] |= 1ul << priority % 64;
	if (thread->priority > this_cpu()->ready_top) this_cpu()->ready_top = thread->priority;
	thread->is_queued = true;
}

static void ready_append(struct scheduler *self, struct thread *thread) {
	ready_insert(self, thread_queue_tail(&self->ready[thread->priority]), thread);
}

static int32_t ready_highest(const struct scheduler *self) {
	for (int word = PRIORITIES / 64 - 1; word >= 0; word--)
		if (self->ready_bits[word])
			return word * 64 + (int)bits_highest(self->ready_bits[word]);
	return -1;
}

static void ready_remove(struct scheduler *self, struct thread *thread) {
	unsigned priority = thread->priority;

	thread_queue_remove(&self->ready[priority], thread);
	thread->is_queued = false;
	if (self->ready[priority]) return;
	self->ready_bits[priority / 64] &= ~(1ul << priority % 64);
	if (thread->priority == this_cpu()->ready_top) this_cpu()->ready_top = ready_highest(self);
}

// Release queue

static uint64_t release_time(const struct thread *thread) {
	return refill_head(thread->sched_context)->time;
}

static void release_insert(struct scheduler *self, struct thread *thread) {
	struct thread *before = thread_queue_tail(&self->release);

	while (before && release_time(before) > release_time(thread))
		before = thread_queue_before(&self->release, before);
	thread_queue_insert(&self->release, before, thread);
	thread->is_released = true;
	if (release_time(thread) < self->attention) self->again = true;
}

static void release_remove(struct scheduler *self, struct thread *thread) {
	thread_queue_remove(&self->release, thread);
	thread->is_released = false;
}

void schedule_dequeue(struct thread *thread) {
	struct scheduler *self = scheduler();

	if (self->candidate == thread) self->candidate = NULL;
	if (thread == this_cpu()->current) self->again = true;
	if (thread->is_queued)
		ready_remove(self, thread);
	else if (thread->is_released)
		release_remove(self, thread);
}

void schedule_enqueue_first(struct thread *thread) {
	struct scheduler *self = scheduler();

	schedule_dequeue(thread);
	ready_insert(self, NULL, thread);
	self->again = true;
}

// Budget

bool schedule_has_budget(const struct sched_context *context) {
	const struct scheduler *self = scheduler();

	return sched_context_is_active(context) && refill_is_ready(context, self->now) &&
		refill_head(context)->amount >= self->minimum_budget;
}

bool thread_is_schedulable(const struct thread *thread) {
	return thread_is_runnable(thread) && thread->sched_context &&
		sched_context_is_active(thread->sched_context) && !thread->is_released;
}

void schedule_commit_time(void) {
	struct scheduler *self = scheduler();
	uint64_t used = self->now - self->booked;

	self->booked = self->now;
	if (!self->context || !used) return;
	self->context->consumed += used;
	refill_charge(self->context, used, self->minimum_budget);
}

void schedule_forget_context(struct sched_context *context) {
	struct scheduler *self = scheduler();

	if (self->context != context) return;
	schedule_commit_time();
	self->context = NULL;
	self->again = true;
}

// The current thread's turn is over: to the tail of its priority if it may go on at once, else it
// waits for its next refill.
static void end_turn(struct thread *thread) {
	struct scheduler *self = scheduler();
	struct sched_context *context = thread->sched_context;

	self->again = true;
	if (refill_is_round_robin(context)) refill_start(context, &context->refills, self->now);
	if (schedule_has_budget(context))
		ready_append(self, thread);
	else
		release_insert(self, thread);
}

// Too little is left of the head refill to run on.
static bool turn_is_over(const struct scheduler *self, const struct thread *current) {
	const struct sched_context *context = current->sched_context;

	return context && context == self->context &&
		refill_head(context)->amount < self->now - self->booked + self->minimum_budget;
}

bool schedule_has_time_left(void) {
	struct thread *current = this_cpu()->current;

	if (!turn_is_over(scheduler(), current)) return true;
	schedule_commit_time();
	if (current->state == THREAD_RUNNING) current->state = THREAD_RESTART;
	if (refill_is_round_robin(current->sched_context) || !fault_timeout(current))
		end_turn(current);
	return false;
}

void schedule_reconsider_current(void) {
	struct thread *current = this_cpu()->current;

	schedule_again();
	if (!schedule_has_budget(current->sched_context)) release_insert(scheduler(), current);
}

void schedule_yield(void) {
	struct scheduler *self = scheduler();
	struct thread *current = this_cpu()->current;

	schedule_commit_time();
	refill_give_up(current->sched_context, self->minimum_budget);
	end_turn(current);
}

// Wake-up

void schedule_possible(struct thread *thread) {
	struct scheduler *self = scheduler();
	struct sched_context *context = thread->sched_context;

	if (!thread_is_schedulable(thread) || thread->is_queued || thread == this_cpu()->current)
		return;
	if (context != self->context) {
		if (context->flags & SCHED_CONTEXT_SPORADIC) refill_unblock(context, self->now);
		if (!schedule_has_budget(context)) {
			release_insert(self, thread);
			return;
		}
	}
	if (self->candidate) {
		ready_append(self, self->candidate);
		self->candidate = NULL;
		self->again = true;
	}
	if (self->again)
		ready_append(self, thread);
	else
		self->candidate = thread;
}

// The choice

// Decides between the current thread, the candidate and the ready queues (D22, G17).
static struct thread *choose(struct scheduler *self, struct cpu *cpu) {
	struct thread *current = cpu->current;
	struct thread *candidate = self->candidate;
	struct thread *highest;

	self->candidate = NULL;
	self->again = false;
	if (thread_is_schedulable(current) && !current->is_queued) {
		if (candidate && candidate->priority <= current->priority) {
			ready_append(self, candidate);
			candidate = NULL;
		}
		if (!candidate && current->priority >= cpu->ready_top) return current;
		ready_insert(self, NULL, current);
	}
	if (candidate && candidate->priority >= cpu->ready_top) return candidate;
	if (candidate) ready_insert(self, NULL, candidate);
	if (cpu->ready_top < 0) return &self->idle;
	highest = self->ready[cpu->ready_top];
	ready_remove(self, highest);
	return highest;
}

// The context whose time runs from now on.
static void switch_context(struct scheduler *self, struct sched_context *context) {
	if (context == self->context) return;
	schedule_commit_time();
	self->context = context;
	if (context && !(context->flags & SCHED_CONTEXT_SPORADIC))
		refill_unblock(context, self->now);
}

// The next moment the kernel must look: end of the head refill, or a release. Entries look a little
// before that end, for less than the minimum budget is not worth going on.
static void set_timer(struct scheduler *self) {
	uint64_t end = UINT64_MAX;
	uint64_t release = self->release ? release_time(self->release) : UINT64_MAX;

	self->attention = UINT64_MAX;
	if (self->context) {
		end = self->booked + refill_head(self->context)->amount;
		self->attention = end - self->minimum_budget;
	}
	if (release < end) end = release;
	if (release < self->attention) self->attention = release;
	clock_set_deadline(end);
}

static void load_registers(struct cpu *cpu, struct thread *thread) {
	if (!cpu->bases_loaded) {
		bases_load(&thread->context);
		cpu->bases_loaded = true;
	}
	if (cpu->fpu_allowed != thread->fpu_used) fpu_give(thread->fpu_used);
}

// Releases whose time has come, and a turn that is over. VM exits and debug calls come here without
// a check of the budget. A context must not be put aside with less than the minimum: its thread
// would wait for a time that has come.
static void attend(struct scheduler *self, struct thread *current) {
	struct thread *next;

	self->again = true;
	while ((next = self->release) && release_time(next) <= self->now) {
		release_remove(self, next);
		schedule_possible(next);
	}
	if (turn_is_over(self, current) && thread_is_schedulable(current) && !current->is_queued) {
		schedule_commit_time();
		end_turn(current);
	}
}

enum way_out schedule(void) {
	struct cpu *cpu = this_cpu();
	struct scheduler *self = cpu->scheduler;
	struct thread *current = cpu->current;
	struct thread *next;

	if (unlikely(self->now >= self->attention)) attend(self, current);
	if (current->state == THREAD_RUNNING && !self->candidate && !self->again)
		return WAY_OUT_USER;

	next = choose(self, cpu);
	if (next != current && cpu->bases_loaded) {
		bases_save(&current->context);
		cpu->bases_loaded = false;
	}
	cpu->current = next;
	switch_context(self, next->sched_context);
	set_timer(self);
	if (next->state == THREAD_IDLE) return WAY_OUT_IDLE;

	if (next->yielding_to) sched_context_complete_yield(next->yielding_to);
	if (next->state == THREAD_RESTART) {
		thread_rewind(next);
		next->state = THREAD_RUNNING;
	}
	space_load(cpu, next);
	if (next->state == THREAD_IN_GUEST) return guest_hooks.prepare(next);
	load_registers(cpu, next);
	return WAY_OUT_USER;
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

	print("scheduler: now %lu ticks, current '%s'\n", self->now, this_cpu()->current->name);
	for (int priority = PRIORITIES - 1; priority >= 0; priority--)
		dump_queue(self->ready[priority], "ready");
	dump_queue(self->release, "release");
}
