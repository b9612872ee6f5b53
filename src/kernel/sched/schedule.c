// SPDX-License-Identifier: BSD-2-Clause
// The scheduler: budgets, waking, the choice, and loading what was chosen.
#include <sched/schedule.h>

#include <cpu/bases.h>
#include <ipc/fault.h>
#include <sched/guest_hooks.h>
#include <memory/space.h>

// What is due beyond that makes the timer interrupt at once.
enum { RELEASES_AT_ONCE = 32 };

static struct scheduler boot_scheduler; // its own core writes it

void schedule_init(struct cpu *cpu) {
	struct scheduler *self = &boot_scheduler;

	self->idle.state = THREAD_IDLE;
	cpu->scheduler = self;
	cpu->current = &self->idle;
	cpu->ready_top = -1;
	cpu->minimum_budget = MINIMUM_BUDGET_US * clock_ticks_per_us();
	cpu->now = clock_now();
	cpu->charged_until = cpu->now;
}

void schedule_dequeue(struct thread *thread) {
	struct cpu *cpu = this_cpu();

	if (cpu->candidate == thread) cpu->candidate = NULL;
	if (cpu->current == thread) cpu->need_resched = true;
	if (thread->is_queued)
		ready_remove(thread);
	else if (thread->is_released)
		release_remove(thread);
}

void schedule_enqueue_first(struct thread *thread) {
	schedule_dequeue(thread);
	ready_prepend(thread);
	schedule_request();
}

// Budget

bool thread_is_schedulable(const struct thread *thread) {
	return thread_is_runnable(thread) && thread->sched_context &&
		sched_context_is_active(thread->sched_context) && !thread->is_released;
}

// The running context is context.
static inline void commit(struct cpu *cpu, struct sched_context *context) {
	uint64_t used = cpu->now - cpu->charged_until;
	struct refill *head = refill_head_of(context);

	cpu->charged_until = cpu->now;
	context->consumed += used;
	if (!refill_is_round_robin(context))
		refill_charge(context, used, cpu->minimum_budget);
	else
		head->amount -= used < head->amount ? used : head->amount;
}

void schedule_commit_time(void) {
	struct cpu *cpu = this_cpu();

	if (cpu->charged_context) commit(cpu, cpu->charged_context);
	cpu->charged_until = cpu->now;
}

void schedule_forget_context(struct sched_context *context) {
	struct cpu *cpu = this_cpu();

	if (cpu->charged_context != context) return;
	schedule_commit_time();
	cpu->charged_context = NULL;
	cpu->need_resched = true;
}

// The next moment the kernel must look: end of the head refill, or a release. Entries look a little
// before that end, for less than the minimum budget is not worth going on.
[[gnu::always_inline]] static inline void set_timer(
	struct cpu *cpu, const struct sched_context *context) {
	const struct thread *release = cpu->scheduler->release;
	uint64_t end = UINT64_MAX;
	uint64_t next_event = UINT64_MAX;

	if (context) {
		end = cpu->charged_until + refill_head(context)->amount;
		next_event = end - cpu->minimum_budget;
	}
	if (unlikely(release)) {
		end = release_time(release) < end ? release_time(release) : end;
		next_event = end < next_event ? end : next_event;
	}
	cpu->next_event = next_event;
	if (end < cpu->deadline) clock_set_deadline(end);
}

// The current thread's turn is over: to the tail of its priority if it may go on at once, else it
// waits for its next refill. Alone at the top, it just goes on.
static void end_turn(struct thread *thread) {
	struct cpu *cpu = this_cpu();
	struct sched_context *context = thread->sched_context;

	if (refill_is_round_robin(context))
		refill_renew(context, cpu->now);
	else if (!schedule_has_budget(context))
		return release_insert(thread);
	if (thread->priority > cpu->ready_top && !cpu->candidate)
		return set_timer(cpu, cpu->charged_context);
	ready_append(thread);
	cpu->need_resched = true;
}

// Too little is left of the head refill to run on.
static bool turn_is_over(const struct cpu *cpu) {
	const struct sched_context *context = cpu->current->sched_context;

	return context && context == cpu->charged_context &&
		refill_head(context)->amount < cpu->now - cpu->charged_until + cpu->minimum_budget;
}

bool schedule_has_time_left(void) {
	struct thread *current = this_cpu()->current;

	schedule_request(); // a release may be due
	if (!turn_is_over(this_cpu())) return true;
	schedule_commit_time();
	if (current->state == THREAD_RUNNING) current->state = THREAD_RESTART;
	if (refill_is_round_robin(current->sched_context) || !fault_timeout(current))
		end_turn(current);
	return false;
}

void schedule_reconsider_current(void) {
	struct thread *current = this_cpu()->current;

	schedule_request();
	if (!schedule_has_budget(current->sched_context)) release_insert(current);
}

// Wake-up

void schedule_possible(struct thread *thread) {
	struct cpu *cpu = this_cpu();
	struct sched_context *context = thread->sched_context;

	if (!thread_is_runnable(thread) || !context || thread == cpu->current ||
		(thread->is_queued | thread->is_released))
		return;
	if (context != cpu->charged_context) {
		if (context->flags & SCHED_CONTEXT_SPORADIC) refill_unblock(context, cpu->now);
		if (unlikely(!schedule_has_budget(context))) {
			if (sched_context_is_active(context)) release_insert(thread);
			return;
		}
	}
	if (cpu->candidate) {
		ready_prepend(cpu->candidate);
		cpu->need_resched = cpu->crowded = true;
	}
	cpu->candidate = thread;
}

// The choice

// The current thread goes on, and its priority is not lower.
[[gnu::noinline]] static void queue_candidate(const struct cpu *cpu, struct thread *candidate) {
	if (candidate->priority == cpu->current->priority && !cpu->crowded)
		ready_append(candidate);
	else
		ready_prepend(candidate);
}

// Decides between the current thread, the candidate and the ready queues (SCHED-20 to SCHED-23).
static struct thread *choose(struct cpu *cpu) {
	struct thread *current = cpu->current;
	struct thread *candidate = cpu->candidate;

	if (!current->is_queued && thread_is_schedulable(current)) {
		if (candidate && candidate->priority <= current->priority) {
			queue_candidate(cpu, candidate);
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
	return ready_take(cpu);
}

// Releases whose time has come, and a turn that is over. VM exits and debug calls come here without
// a check of the budget. A context must not be put aside with less than the minimum: its thread
// would wait for a time that has come.
[[gnu::cold]] static void attend(struct cpu *cpu) {
	struct thread *current = cpu->current;
	struct thread *next;

	for (unsigned i = 0; i < RELEASES_AT_ONCE; i++) {
		next = cpu->scheduler->release;
		if (!next || release_time(next) > cpu->now) break;
		release_remove(next);
		schedule_possible(next);
	}
	if (turn_is_over(cpu) && thread_is_schedulable(current) && !current->is_queued) {
		schedule_commit_time();
		end_turn(current);
	}
}

// The context whose time runs from now on.
static void switch_context(struct cpu *cpu, struct sched_context *context) {
	if (context == cpu->charged_context) return;
	schedule_commit_time();
	cpu->charged_context = context;
	if (context && !(context->flags & SCHED_CONTEXT_SPORADIC))
		refill_unblock(context, cpu->now);
}

// next, which may be the current thread, runs from now on.
[[gnu::noinline]] static enum exit_path run(struct cpu *cpu, struct thread *next) {
	if (cpu->bases_loaded && (next != cpu->current || next->state == THREAD_IN_GUEST)) {
		bases_save(&cpu->current->context);
		cpu->bases_loaded = false;
	}
	benchmark_switch(cpu, next);
	cpu->current = next;
	switch_context(cpu, next->sched_context);
	set_timer(cpu, next->sched_context);
	if (next->state == THREAD_IDLE) return EXIT_TO_IDLE;

	if (next->yielding_to) sched_context_complete_yield(next->yielding_to);
	if (next->state == THREAD_RESTART) {
		thread_rewind(next);
		next->state = THREAD_RUNNING;
	}
	space_load(cpu, next);
	if (next->state == THREAD_IN_GUEST) return guest_hooks.prepare(next);
	if (!cpu->bases_loaded) bases_load(&next->context);
	cpu->bases_loaded = 1 + features_switch_fast();
	if (cpu->fpu_allowed != next->fpu_used) fpu_give(next->fpu_used);
	return EXIT_TO_USER;
}

static inline bool continues(const struct thread *thread) {
	return thread->state == THREAD_RUNNING && !thread->yielding_to;
}

// The switch between two round robin programs needs none of what may call for more work. Programs
// that share memory may see each other's selectors.
static inline bool is_plain_switch(
	const struct cpu *cpu, const struct thread *current, const struct thread *next) {
	return refill_is_round_robin(cpu->charged_context) &&
		refill_is_round_robin(next->sched_context) && cpu->bases_loaded > 1 &&
		(current->space_root == next->space_root || !bases_have_selectors());
}

// run() with the plain switch in line, from one program that runs to another that continues.
[[gnu::always_inline]] static inline enum exit_path run_fast(struct cpu *cpu, struct thread *next) {
	struct thread *current = cpu->current;
	struct sched_context *context = next->sched_context;

	if (unlikely(!is_plain_switch(cpu, current, next))) return run(cpu, next);
	commit(cpu, cpu->charged_context);
	cpu->charged_context = context;
	benchmark_switch(cpu, next);
	cpu->current = next;
	bases_exchange(&current->context, &next->context);
	space_load(cpu, next);
	if (cpu->fpu_allowed != next->fpu_used) fpu_give_fast(cpu, next->fpu_used);
	set_timer(cpu, context);
	return EXIT_TO_USER;
}

enum exit_path schedule_anew(void) {
	struct cpu *cpu = this_cpu();
	struct thread *next;

	if (unlikely(cpu->now >= cpu->next_event)) attend(cpu);
	next = choose(cpu);
	cpu->candidate = NULL;
	cpu->need_resched = cpu->crowded = false;
	if (next == cpu->current || !continues(next) || !cpu->charged_context)
		return run(cpu, next);
	return run_fast(cpu, next);
}

// The first of the threads with the priority of the current thread runs; the current thread goes
// behind the last.
static void rotate(struct cpu *cpu) {
	struct thread **head = &cpu->scheduler->ready[cpu->ready_top];
	struct thread *next = *head;

	thread_queue_take_first(head);
	next->is_queued = false;
	thread_queue_append(head, cpu->current);
	cpu->current->is_queued = true;
	run_fast(cpu, next);
}

[[gnu::noinline]] void schedule_yield(void) {
	struct cpu *cpu = this_cpu();
	struct thread *current = cpu->current;
	struct sched_context *context = current->sched_context;

	if (refill_is_round_robin(context) && current->priority == cpu->ready_top &&
		continues(cpu->scheduler->ready[cpu->ready_top])) {
		rotate(cpu);
		return refill_renew(context, cpu->now);
	}
	schedule_commit_time();
	if (!refill_is_round_robin(context)) refill_give_up(context, cpu->minimum_budget);
	end_turn(current);
}

void schedule_preempt(struct thread *thread, struct cpu *cpu) {
	ready_prepend(cpu->current);
	run_fast(cpu, thread);
}

void schedule_wake(struct thread *thread) {
	struct cpu *cpu = this_cpu();
	const struct sched_context *context = thread->sched_context;

	thread->state = THREAD_RUNNING;
	if (!schedule_may_use_now(cpu, context) || !schedule_is_settled(cpu))
		return schedule_possible(thread);
	schedule_admit(thread, cpu, schedule_rank(thread, cpu));
}
