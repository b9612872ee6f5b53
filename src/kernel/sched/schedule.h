// SPDX-License-Identifier: BSD-2-Clause
// Who runs: ready queues by priority, release queue by time, the charge for time used
// (SCHED-8 to SCHED-25).
//
// A thread that could run is in exactly one place: it is the current thread, in the ready queue of
// its priority, or (its context has no budget now) in the release queue.
#pragma once

#include <syscall/benchmark.h>
#include <sched/run_queue.h>

// The idle thread and queues of this core. Boot only.
void schedule_init(struct cpu *cpu);

// Reads the clock. Once an entry, first of all.
static inline void schedule_update_time(void) {
	this_cpu()->now = clock_now();
	benchmark_enter();
}

// Ticks at this entry.
static inline uint64_t schedule_now(void) { return this_cpu()->now; }

// schedule_check_budget() behind its first look.
bool schedule_has_time_left(void);

// True if the current thread has budget to go on. Otherwise its turn is over: it restarts its
// instruction when it has budget again, or after its timeout handler's reply. Asked before each
// call and exception, and when the timer interrupt came.
static inline bool schedule_check_budget(void) {
	const struct cpu *cpu = this_cpu();

	return likely(cpu->now < cpu->next_event) || schedule_has_time_left();
}

// Books the time used so far on the context in use.
void schedule_commit_time(void);

// context is about to lose its meaning (reconfigured, destroyed): books its time and forgets it.
void schedule_forget_context(struct sched_context *context);

// The thread became able to run: it runs next if its priority is higher than the current thread's.
// Else it is queued before its equals; behind them if it is the only one of this entry and the
// current thread, which goes on, is one of them (SCHED-21, SCHED-22). Without budget it waits in
// the release queue; without context, or not runnable, nothing happens.
void schedule_possible(struct thread *thread);

// The thread, RUNNING and in no queue, is known to have budget (schedule_may_use_now): it runs now,
// instead of the current thread, whose priority is lower. The clock must have been read.
void schedule_preempt(struct thread *thread, struct cpu *cpu);

// The current thread goes on with its program, as far as this entry is concerned.
static inline bool schedule_is_settled(const struct cpu *cpu) {
	return cpu->current->state == THREAD_RUNNING &&
		((uint64_t)cpu->candidate | cpu->need_resched) == 0;
}

// How far the thread's priority is above that of the current thread.
static inline int schedule_rank(const struct thread *thread, const struct cpu *cpu) {
	return thread->priority - cpu->current->priority;
}

// schedule_preempt() for any rank: the thread runs now or is queued, and the current thread goes on
// with its program meanwhile.
static inline void schedule_admit(struct thread *thread, struct cpu *cpu, int rank) {
	if (rank > 0)
		schedule_preempt(thread, cpu);
	else if (rank == 0)
		ready_append(thread);
	else
		ready_prepend(thread);
}

// The thread, which has waited and has a context, runs: now if its priority is higher than that of
// the current thread, which goes on with its program meanwhile. For ends of kernel entries: nothing
// else may follow that changes who runs. Anything unusual is left to schedule().
void schedule_wake(struct thread *thread);

// Takes thread out of the ready or release queue.
void schedule_dequeue(struct thread *thread);

// Places a schedulable thread at the head of its priority's ready queue.
void schedule_enqueue_first(struct thread *thread);

// Priority, queue order or the current thread changed in a way that may end its turn or must be
// loaded.
static inline void schedule_request(void) { this_cpu()->need_resched = true; }

// The current thread's context was configured anew.
void schedule_reconsider_current(void);

// The current thread gives up its head refill (SCHED-17).
void schedule_yield(void);

// schedule() behind its first look.
enum exit_path schedule_anew(void);

// The one decision of each kernel entry: picks the thread, loads its space, bases and FPU, sets
// the timer, and says how to leave. Whether time calls for it schedule_check_budget() has found.
static inline enum exit_path schedule(void) {
	return likely(schedule_is_settled(this_cpu())) ? EXIT_TO_USER : schedule_anew();
}

// True if context is configured and its head refill can be used now ("released"). A context that
// was never configured has nothing in it.
static inline bool schedule_has_budget_on(
	const struct cpu *cpu, const struct sched_context *context) {
	const struct refill *head = refill_head(context);

	return head->time <= cpu->now && head->amount >= cpu->minimum_budget;
}

static inline bool schedule_has_budget(const struct sched_context *context) {
	return schedule_has_budget_on(this_cpu(), context);
}

// True if a thread that wakes up with context may run at once: nothing of a sporadic one has to be
// moved first.
static inline bool schedule_may_use_now(
	const struct cpu *cpu, const struct sched_context *context) {
	return !(context->flags & SCHED_CONTEXT_SPORADIC) && schedule_has_budget_on(cpu, context);
}
