// SPDX-License-Identifier: BSD-2-Clause
// Switching threads. Only schedule_choose() chooses, except in the two simple ends of entries that
// the header names.
#include <sched/switch.h>

#include <cpu/bases.h>
#include <memory/space.h>

// Time runs on this context from now on.
static void switch_context(struct cpu *cpu, struct sched_context *context) {
	if (context == cpu->charged_context) return;
	schedule_charge();
	cpu->charged_context = context;
	if (context && !(context->flags & SCHED_CONTEXT_SPORADIC))
		refill_unblock(context, cpu->now);
}

// The current thread needs what may be another core's: this one has to run alone. Meanwhile others
// may have changed what was chosen.
[[gnu::cold]] static enum exit_path switch_alone(struct cpu *cpu) {
	(void)kernel_enter(cpu, false);
	return schedule_slow();
}

// next, which may be the current thread, runs from now on.
[[gnu::noinline]] static enum exit_path switch_to(struct cpu *cpu, struct thread *next) {
	if (cpu->bases_loaded && (next != cpu->current || next->state == THREAD_IN_GUEST)) {
		bases_save(&cpu->current->context);
		cpu->bases_loaded = false;
	}
	benchmark_switch(cpu, next);
	cpu->current = next;
	switch_context(cpu, next->sched_context);
	schedule_set_timer(cpu, next->sched_context);
	if (next->state == THREAD_IDLE) return EXIT_TO_IDLE;

	if (next->yielding_to) {
		if (cpu->lock.is_inside) return switch_alone(cpu);
		sched_context_complete_yield(next->yielding_to);
	}
	if (next->state == THREAD_RESTART) {
		thread_rewind(next);
		next->state = THREAD_RUNNING;
	}
	space_load(cpu, next->space_root);
	if (next->state == THREAD_IN_GUEST) {
		if (cpu->lock.is_inside && !vcpu_is_own(next)) return switch_alone(cpu);
		if (vcpu_prepare(next)) return EXIT_TO_GUEST;
	}
	if (!cpu->bases_loaded) bases_load(&next->context);
	cpu->bases_loaded = 1 + features_switch_fast();
	if (cpu->fpu_allowed != next->fpu_used) fpu_give(next->fpu_used);
	return EXIT_TO_USER;
}

static inline bool continues(const struct thread *thread) {
	return thread->state == THREAD_RUNNING && !thread->yielding_to;
}

// The switch between two round robin programs needs none of the checks that may call for more work.
// Programs that share memory may see each other's selectors.
static inline bool is_plain_switch(
	const struct cpu *cpu, const struct thread *current, const struct thread *next) {
	return refill_is_round_robin(cpu->charged_context) &&
		refill_is_round_robin(next->sched_context) && cpu->bases_loaded > 1 &&
		(current->space_root == next->space_root || !bases_have_selectors());
}

// switch_to() with the plain switch inline, between two programs that continue where they are.
[[gnu::always_inline]] static inline enum exit_path switch_programs(
	struct cpu *cpu, struct thread *next) {
	struct thread *current = cpu->current;
	struct sched_context *context = next->sched_context;

	if (unlikely(!is_plain_switch(cpu, current, next))) return switch_to(cpu, next);
	schedule_charge_to(cpu, cpu->charged_context);
	cpu->charged_context = context;
	benchmark_switch(cpu, next);
	cpu->current = next;
	bases_exchange(&current->context, &next->context);
	space_load(cpu, next->space_root);
	if (cpu->fpu_allowed != next->fpu_used) fpu_give_fast(cpu, next->fpu_used);
	schedule_set_timer(cpu, context);
	return EXIT_TO_USER;
}

bool switch_to_monitor(struct cpu *cpu) {
	const struct thread *current = cpu->current;

	if (unlikely(cpu->now >= cpu->next_event || !cpu->guest_prepared)) {
		cpu->need_resched = true;
		return false;
	}
	bases_load_fast(&current->context);
	cpu->bases_loaded = 2;
	if (cpu->fpu_allowed != current->fpu_used) fpu_give_guest(cpu, current->fpu_used);
	return true;
}

enum exit_path schedule_slow(void) {
	struct cpu *cpu = this_cpu();
	struct thread *next = schedule_choose(cpu);

	if (next == cpu->current || !continues(next) || !cpu->charged_context)
		return switch_to(cpu, next);
	return switch_programs(cpu, next);
}

void switch_preempting(struct thread *thread, struct cpu *cpu) {
	ready_prepend(cpu->current);
	switch_programs(cpu, thread);
}

void schedule_wake_last(struct thread *thread) {
	struct cpu *cpu = this_cpu();
	const struct sched_context *context = thread->sched_context;

	thread->state = THREAD_RUNNING;
	if (thread->cpu != cpu || thread->domain != cpu->scheduler.domain ||
		!schedule_may_use_now(cpu, context) || !schedule_is_settled(cpu))
		return schedule_propose(thread);
	switch_or_queue(thread, cpu, priority_above_current(thread, cpu));
}

// The first of the threads with the priority of the current thread runs; the current thread becomes
// the last of them.
static void rotate(struct cpu *cpu) {
	struct thread **head = &cpu->scheduler.ready[cpu->ready_top];
	struct thread *next = *head;

	thread_queue_take_first(head);
	next->is_queued = false;
	thread_queue_append(head, cpu->current);
	cpu->current->is_queued = true;
	switch_programs(cpu, next);
}

[[gnu::noinline]] void schedule_yield(void) {
	struct cpu *cpu = this_cpu();
	struct thread *current = cpu->current;
	struct sched_context *context = current->sched_context;

	if (refill_is_round_robin(context) && current->level == cpu->ready_top &&
		continues(cpu->scheduler.ready[cpu->ready_top])) {
		rotate(cpu);
		return refill_renew(context, cpu->now);
	}
	schedule_charge();
	if (!refill_is_round_robin(context)) // the rest of the head counts as used
		refill_charge(context, refill_head(context)->amount, cpu->minimum_budget);
	schedule_end_turn(current);
}
