// SPDX-License-Identifier: BSD-2-Clause
// Binding and donation of scheduling contexts.
#include <sched/sched_context.h>

#include <base/panic.h>
#include <sched/place.h>

void sched_context_bind_thread(struct sched_context *context, struct thread *thread) {
	assert(!context->thread);
	sched_context_donate(context, thread);
	schedule_propose(thread);
}

void sched_context_unbind_thread(struct sched_context *context) {
	struct thread *thread = context->thread;

	if (!thread) return;
	thread_stop(thread);
	schedule_dequeue(thread);
	thread->sched_context = NULL;
	context->thread = NULL;
}

void sched_context_donate(struct sched_context *context, struct thread *thread) {
	assert(!thread->sched_context);
	sched_context_unbind_thread(context);
	context->thread = thread;
	thread->sched_context = context;
	thread_place(thread, context->cpu);
}

uint64_t sched_context_take_consumed(struct sched_context *context) {
	uint64_t consumed = context->consumed;

	context->consumed = 0;
	return consumed / clock_ticks_per_us();
}

void sched_context_complete_yield(struct sched_context *context) {
	struct thread *waiter = context->yield_from;
	uint64_t consumed = sched_context_take_consumed(context);

	context->yield_from = NULL;
	waiter->yielding_to = NULL;
	if (!(waiter->message_flags & MESSAGE_CALL)) return;
	*context_badge(&waiter->context) = 0;
	*context_tag(&waiter->context) = tag_make(0, 0, 0, 1);
	waiter->context.words[0] = consumed;
}

bool sched_context_can_bind(const struct sched_context *context, const struct thread *thread) {
	return !context->thread && !thread->sched_context &&
		(!thread_is_blocked(thread) || schedule_has_budget(this_cpu(), context));
}
