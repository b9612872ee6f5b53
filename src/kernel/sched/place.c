// SPDX-License-Identifier: BSD-2-Clause
// Moving threads between cores. Who calls these runs alone.
#include <sched/place.h>

#include <cpu/bases.h>
#include <memory/space.h>

// On the core of the thread. A turn that is over ends when the thread is next chosen, for it may be
// sent a fault then: the time since the end of its turn is not charged.
static void park(void *argument) {
	struct thread *thread = argument;
	struct cpu *cpu = this_cpu();
	struct sched_context *context = cpu->charged_context;

	cpu->now = clock_now();
	if (context && cpu->now > schedule_end_of_turn(cpu, context))
		cpu->now = schedule_end_of_turn(cpu, context);
	schedule_forget_context(context);
	if (cpu->bases_loaded) bases_save(&thread->context);
	cpu->bases_loaded = false;
	if (cpu->lock.restarts && thread->state == THREAD_RUNNING) thread->state = THREAD_RESTART;
	cpu->current = cpu->scheduler.idle;
	if (thread_is_schedulable(thread) && !thread->is_queued) ready_prepend(thread);
}

void thread_park(struct thread *thread) { cores_call(BIT(thread->cpu->number), park, thread); }

static void take_fpu(void *state) { fpu_take(state); }

void thread_take_fpu(struct thread *thread) {
	const struct cpu *cpu = thread->cpu;

	if (cpu->fpu_allowed == &thread->fpu || cpu->fpu_parked == &thread->fpu)
		cores_call(BIT(cpu->number), take_fpu, &thread->fpu);
}

void thread_place(struct thread *thread, struct cpu *cpu) {
	if (likely(thread->cpu == cpu) || !cpu) return;
	if (thread->cpu->current == thread) thread_park(thread);
	schedule_dequeue(thread);
	thread_take_fpu(thread);
	thread->cpu->guest_prepared = NULL; // what it was prepared with may change elsewhere
	thread->cpu = cpu;
	space_used_on(&thread->slots[THREAD_SPACE].cap, cpu);
	space_used_on(&thread->slots[THREAD_GUEST_SPACE].cap, cpu);
	schedule_propose(thread);
}
