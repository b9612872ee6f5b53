// SPDX-License-Identifier: BSD-2-Clause
// The scheduler: proposals, budgets, and the choice.
#include <sched/schedule.h>

// If more are due, the timer interrupts at once.
enum { RELEASES_AT_ONCE = 32 };

void schedule_init(struct cpu *cpu) {
	struct thread *idle = (struct thread *)cpu->idle_thread;

	idle->state = THREAD_IDLE;
	idle->cpu = cpu;
	cpu->scheduler.idle = idle;
	cpu->current = idle;
	cpu->ready_top = -1;
	cpu->minimum_budget = MINIMUM_BUDGET_US * clock_ticks_per_us();
	cpu->now = clock_now();
	cpu->charged_until = cpu->now;
}

// Proposals

void schedule_propose(struct thread *thread) {
	struct cpu *cpu = thread->cpu;
	struct sched_context *context = thread->sched_context;

	if (!thread_is_runnable(thread) || !context || thread == cpu->current ||
		thread == cpu->candidate || (thread->is_queued | thread->is_released))
		return;
	if (context != cpu->charged_context) {
		if (context->flags & SCHED_CONTEXT_SPORADIC)
			refill_unblock(context, this_cpu()->now);
		if (unlikely(!schedule_has_budget(this_cpu(), context))) {
			if (sched_context_is_active(context)) release_insert(thread);
			return;
		}
	}
	if (unlikely(thread->domain != cpu->scheduler.domain)) return ready_append(thread);
	if (cpu->candidate) {
		ready_prepend(cpu->candidate);
		cpu->need_resched = cpu->crowded = true;
	}
	cpu->candidate = thread;
	core_wake(cpu);
}

void schedule_dequeue(struct thread *thread) {
	struct cpu *cpu = thread->cpu;

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
	core_request(thread->cpu);
}

// Budgets

bool thread_is_schedulable(const struct thread *thread) {
	return thread_is_runnable(thread) && thread->sched_context &&
		sched_context_is_active(thread->sched_context) && !thread->is_released;
}

void schedule_charge(void) {
	struct cpu *cpu = this_cpu();

	if (cpu->charged_context) schedule_charge_to(cpu, cpu->charged_context);
	cpu->charged_until = cpu->now;
}

void schedule_forget_context(struct sched_context *context) {
	struct cpu *cpu = this_cpu();

	if (cpu->charged_context != context) return;
	schedule_charge();
	cpu->charged_context = NULL;
	cpu->need_resched = true;
}

bool schedule_turn_is_over(const struct cpu *cpu) {
	const struct sched_context *context = cpu->current->sched_context;

	return context && context == cpu->charged_context &&
		refill_head(context)->amount < cpu->now - cpu->charged_until + cpu->minimum_budget;
}

// To the tail of its priority if it may continue at once, else it waits for its next refill. If it
// is alone at the top, it just continues.
void schedule_end_turn(struct thread *current) {
	struct cpu *cpu = this_cpu();
	struct sched_context *context = current->sched_context;

	if (refill_is_round_robin(context))
		refill_renew(context, cpu->now);
	else if (!schedule_has_budget(cpu, context))
		return release_insert(current);
	if (current->level > cpu->ready_top && !cpu->candidate)
		return schedule_set_timer(cpu, cpu->charged_context);
	ready_append(current);
	cpu->need_resched = true;
}

// The choice

// Events of time: releases, whose threads are proposed, and the end of a turn. VM exits and debug
// calls come here without a check of the budget. A thread may not stop running with less than the
// minimum: it would wait for a time that has passed.
[[gnu::cold]] static void handle_events(struct cpu *cpu) {
	struct thread *current = cpu->current, *due;

	for (unsigned i = 0; i < RELEASES_AT_ONCE; i++) {
		due = cpu->scheduler.release;
		if (!due || release_time(due) > cpu->now) break;
		release_remove(due);
		schedule_propose(due);
	}
	if (schedule_turn_is_over(cpu) && thread_is_schedulable(current) && !current->is_queued) {
		schedule_charge();
		schedule_end_turn(current);
	}
}

// The current thread continues, and its priority is not lower.
[[gnu::noinline]] static void queue_candidate(const struct cpu *cpu, struct thread *candidate) {
	if (candidate->priority == cpu->current->priority && !cpu->crowded)
		ready_append(candidate);
	else
		ready_prepend(candidate);
}

// The current thread, while it can run, against the candidate, and the winner against the ready
// queues: at equal priority the former is first. Losers are put into their queues.
static inline struct thread *highest(struct cpu *cpu) {
	struct thread *current = cpu->current, *candidate = cpu->candidate;

	if (!current->is_queued && thread_is_schedulable(current)) {
		if (candidate && candidate->priority <= current->priority) {
			queue_candidate(cpu, candidate);
			candidate = NULL;
		}
		if (!candidate && current->level >= cpu->ready_top) return current;
		ready_prepend(current);
	}
	if (candidate) {
		if (candidate->level >= cpu->ready_top) return candidate;
		ready_prepend(candidate);
	}
	if (cpu->ready_top < 0) return cpu->scheduler.idle;
	return ready_take(cpu);
}

struct thread *schedule_choose(struct cpu *cpu) {
	struct thread *next;

	if (unlikely(cpu->now >= cpu->next_event)) handle_events(cpu);
	next = highest(cpu);
	cpu->candidate = NULL;
	cpu->need_resched = cpu->crowded = false;
	return next;
}
