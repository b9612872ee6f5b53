// SPDX-License-Identifier: BSD-2-Clause
// Which thread runs: proposals, budgets and the choice (SCHED-8 to SCHED-25).
//
// A thread that could run is in exactly one place: it is the current thread, in the ready queue of
// its priority, or (its context has no budget now) in the release queue.
//
// During a kernel entry any function may propose a thread (schedule_propose), take one out
// (schedule_dequeue), or request a new choice (schedule_request). Only schedule_choose() decides,
// which the end of the entry calls by schedule() of switch.h.
//
// The folder, in the order to read: the thread (thread), the right to CPU time (sched_context) and
// its arithmetic (refill), queues (thread_queue, run_queue), this file, the switch to the thread
// that was chosen (switch), and the way of a thread to another core (place).
#pragma once

#include <sched/benchmark.h>
#include <sched/run_queue.h>

// The idle thread and queues of this core. Boot only.
void schedule_init(struct cpu *cpu);

// Reads the clock. First in each entry.
static inline void schedule_update_time(void) {
	this_cpu()->now = clock_now();
	benchmark_enter();
}

// Proposals: each acts on the core of its thread, whichever core makes it.

// The thread became able to run, and is the candidate to run next if its priority is higher than
// the current thread's. Else it will be queued before its equals; after them if it is the only one
// of this entry and the current thread, which continues, is one of them (SCHED-21, SCHED-22).
// Without budget it waits in the release queue; without context, or not runnable, nothing happens.
void schedule_propose(struct thread *thread);

// Takes thread out of the ready or release queue.
void schedule_dequeue(struct thread *thread);

// Places a schedulable thread at the head of its priority's ready queue.
void schedule_enqueue_first(struct thread *thread);

// Priority, queue order or the current thread changed in a way that may end its turn or must be
// loaded, on this core.
static inline void schedule_request(void) { this_cpu()->need_resched = true; }

// No thread was proposed: the current thread continues with its program.
static inline bool schedule_is_settled(const struct cpu *cpu) {
	return cpu->current->state == THREAD_RUNNING &&
		((uint64_t)cpu->candidate | cpu->need_resched) == 0;
}

// Budgets

// True if context is configured and its head refill can be used now ("released"). A context that
// was never configured has nothing in it.
static inline bool schedule_has_budget(const struct cpu *cpu, const struct sched_context *context) {
	const struct refill *head = refill_head(context);

	return head->time <= cpu->now && head->amount >= cpu->minimum_budget;
}

// True if a thread that wakes up with context may run at once: nothing of a sporadic one has to be
// moved first.
static inline bool schedule_may_use_now(
	const struct cpu *cpu, const struct sched_context *context) {
	return !(context->flags & SCHED_CONTEXT_SPORADIC) && schedule_has_budget(cpu, context);
}

// Runnable, with an active context that has budget now.
[[nodiscard]] bool thread_is_schedulable(const struct thread *thread);

// Charges the time since charged_until to context, which is charged_context.
static inline void schedule_charge_to(struct cpu *cpu, struct sched_context *context) {
	uint64_t used = cpu->now - cpu->charged_until;
	struct refill *head = refill_head(context);

	cpu->charged_until = cpu->now;
	context->consumed += used;
	if (!refill_is_round_robin(context))
		refill_charge(context, used, cpu->minimum_budget);
	else
		head->amount -= used < head->amount ? used : head->amount;
}

// When too little will be left of the head refill of context, which is charged, to run on.
static inline uint64_t schedule_end_of_turn(
	const struct cpu *cpu, const struct sched_context *context) {
	return cpu->charged_until + refill_head(context)->amount - cpu->minimum_budget;
}

// Charges the time used so far to the context in use.
void schedule_charge(void);

// context is about to be reconfigured or destroyed, or its thread to leave this core: charges its
// time and removes references to it. Null, while the core idles: nothing is charged.
void schedule_forget_context(struct sched_context *context);

// Too little is left of the head refill of the current thread to run on.
[[nodiscard]] bool schedule_turn_is_over(const struct cpu *cpu);

// Ends the current thread's turn, whose time is charged.
void schedule_end_turn(struct thread *current);

// The choice

// Chooses the thread that runs next: the current thread, the candidate, or the first of the ready
// queues (SCHED-20 to SCHED-23). The others are in their queues then. All requests are done.
struct thread *schedule_choose(struct cpu *cpu);

// Sets the timer to the next event while context (null: none, the core idles) is charged: end of
// the head refill, or a release. It comes a little before that end, for less than the minimum
// budget is not worth continuing.
[[gnu::always_inline]] static inline void schedule_set_timer(
	struct cpu *cpu, const struct sched_context *context) {
	const struct thread *release = cpu->scheduler.release;
	uint64_t end = UINT64_MAX, next_event = UINT64_MAX;

	if (context) {
		next_event = schedule_end_of_turn(cpu, context);
		end = next_event + cpu->minimum_budget;
	}
	if (unlikely(release)) {
		end = release_time(release) < end ? release_time(release) : end;
		next_event = end < next_event ? end : next_event;
	}
	cpu->next_event = next_event;
	if (end < cpu->deadline) clock_set_deadline(end);
}
